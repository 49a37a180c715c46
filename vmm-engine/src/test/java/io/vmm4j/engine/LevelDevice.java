package io.vmm4j.engine;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.Vm;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.PortHandler;
import io.vmm4j.api.state.RecordSchema;
import io.vmm4j.engine.machine.GuestPrograms;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.nio.file.Path;

/**
 * A device that sends two level-triggered messages at a store to its port, as an I/O APIC would:
 * always the same one, and one of 320 in turn. It counts the ends that it is told of.
 */
public final class LevelDevice implements DeviceModel<LevelDevice.State>, PortHandler {
  private static final int PORT = 0x5E0;
  private static final long ADDRESS = 0xFEE0_0000L;
  private static final int LEVEL_TRIGGERED = 0xC000;
  private static final int SAME = 0xF0;
  private static final int FIRST = 0x30;
  private static final int VECTORS = 160;

  /** The address that means local APIC 0 by its logical id in x2APIC mode. */
  private static final long LOGICALLY = ADDRESS | 1 << 12 | 1 << 2;

  record Config(int rounds) implements DeviceConfig {
    @Override
    public String deviceType() {
      return "levels";
    }
  }

  record State(int ended) {}

  private static final class Factory implements DeviceFactory<Config, State> {
    @Override
    public String type() {
      return "levels";
    }

    @Override
    public String summary() {
      return "for tests";
    }

    @Override
    public RecordSchema<Config> configSchema() {
      return RecordSchema.builder(MethodHandles.lookup(), Config.class)
          .defaults(new Config(1))
          .build();
    }

    @Override
    public RecordSchema<State> stateSchema() {
      return RecordSchema.of(MethodHandles.lookup(), State.class);
    }

    @Override
    public DeviceModel<State> create(Config config, DeviceContext context) {
      return new LevelDevice(config.rounds(), context);
    }
  }

  private final int rounds;
  private final DeviceContext context;
  private int ended;

  private LevelDevice(int rounds, DeviceContext machine) {
    this.rounds = rounds;
    context = machine;
    machine.claimPorts(PORT, 12, AccessWidth.DWORD, this);
    machine.messageInterrupts().onEndOfInterrupt(vector -> ended++);
  }

  /** A machine whose guest ends with 42 if it was told of each end in time. */
  public static Vm machine(Path directory, BackendChoice backend, int rounds) throws IOException {
    return ExtraDevice.create(
        GuestPrograms.spec(directory, backend, GuestPrograms.LEVELS).build(),
        ClockMode.REAL,
        new Factory(),
        new Config(rounds));
  }

  @Override
  public void reset() {
    ended = 0;
  }

  @Override
  public int read(int offset, int size) {
    return offset == 4 ? ended : rounds;
  }

  @Override
  public void write(int offset, int size, int round) {
    int other = round % (2 * VECTORS);
    context.messageInterrupts().send(ADDRESS, LEVEL_TRIGGERED | SAME);
    context
        .messageInterrupts()
        .send(other < VECTORS ? ADDRESS : LOGICALLY, LEVEL_TRIGGERED | FIRST + other % VECTORS);
  }

  @Override
  public State save() {
    return new State(ended);
  }

  @Override
  public void restore(State state) {
    ended = state.ended();
  }
}
