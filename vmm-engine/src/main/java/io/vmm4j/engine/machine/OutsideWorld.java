package io.vmm4j.engine.machine;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.api.state.RecordSchema;
import io.vmm4j.engine.machine.interrupt.InterruptLines;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.List;

/**
 * What is around the devices of a {@link DeviceBench}, as a device: it drives interrupt lines as
 * others would, and its state is what it drives.
 */
final class OutsideWorld implements DeviceModel<OutsideWorld.State> {
  static final String PATH = "outside";

  record Config() implements DeviceConfig {
    @Override
    public String deviceType() {
      return PATH;
    }
  }

  record State(int lines) {}

  private final List<InterruptLine> wires = new ArrayList<>();
  private int lines;

  private OutsideWorld(DeviceContext context) {
    for (int line = 0; line < InterruptLines.COUNT; line++) {
      wires.add(context.interruptLine(line));
    }
  }

  /** Asserts or releases a line. */
  void set(int line, boolean asserted) {
    lines = asserted ? lines | 1 << line : lines & ~(1 << line);
    wires.get(line).set(asserted);
  }

  @Override
  public void reset() {
    restore(new State(0));
  }

  @Override
  public State save() {
    return new State(lines);
  }

  @Override
  public void restore(State state) {
    for (int line = 0; line < wires.size(); line++) {
      set(line, (state.lines >> line & 1) != 0);
    }
  }

  static final class Factory implements DeviceFactory<Config, State> {
    private final List<OutsideWorld> made;

    Factory(List<OutsideWorld> made) {
      this.made = made;
    }

    @Override
    public String type() {
      return PATH;
    }

    @Override
    public String summary() {
      return "what is around the devices of a bench";
    }

    @Override
    public RecordSchema<Config> configSchema() {
      return RecordSchema.builder(MethodHandles.lookup(), Config.class)
          .defaults(new Config())
          .build();
    }

    @Override
    public RecordSchema<State> stateSchema() {
      return RecordSchema.of(MethodHandles.lookup(), State.class);
    }

    @Override
    public DeviceModel<State> create(Config config, DeviceContext context) {
      OutsideWorld world = new OutsideWorld(context);
      made.add(world);
      return world;
    }
  }
}
