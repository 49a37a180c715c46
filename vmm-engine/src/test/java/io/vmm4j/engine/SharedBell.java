package io.vmm4j.engine;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.Vm;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.AddressClaim;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.MmioHandler;
import io.vmm4j.api.device.PortHandler;
import io.vmm4j.api.state.RecordSchema;
import io.vmm4j.engine.machine.GuestPrograms;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * A device with one doorbell for all processors. When it rings, the device answers what each of
 * them has left in memory, and takes its window off the bus and back: all in one breath, so that no
 * ring may be lost by it.
 */
public final class SharedBell implements DeviceModel<SharedBell.State>, MmioHandler, PortHandler {
  /** How many processors ring it. */
  public static final int CPUS = 4;

  private static final long WINDOW = 0xB_0000;
  private static final int PORT = 0x5D0;
  private static final long QUESTIONS = 0x600;
  private static final long ANSWERS = 0x640;

  record Config(int rounds) implements DeviceConfig {
    @Override
    public String deviceType() {
      return "sharedbell";
    }
  }

  record State() {}

  private static final class Factory implements DeviceFactory<Config, State> {
    @Override
    public String type() {
      return "sharedbell";
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
      return new SharedBell(config.rounds(), context);
    }
  }

  private final int rounds;
  private final DeviceContext context;
  private final AddressClaim window;

  private SharedBell(int rounds, DeviceContext machine) {
    this.rounds = rounds;
    context = machine;
    window = machine.claimMmio(WINDOW, 0x100, AccessWidth.DWORD, this);
    window.doorbell(0, 4, OptionalLong.empty(), this::rung);
    machine.claimPorts(PORT, 8, AccessWidth.DWORD, this);
  }

  /** A machine whose guest ends with 42 when each processor was answered so often. */
  public static Vm machine(Path directory, BackendChoice backend, int rounds) throws IOException {
    return ExtraDevice.create(
        GuestPrograms.spec(directory, backend, GuestPrograms.SHARED_BELL).cpus(CPUS).build(),
        ClockMode.REAL,
        new Factory(),
        new Config(rounds));
  }

  private void rung() {
    for (int cpu = 0; cpu < CPUS; cpu++) {
      context.memory().writeInt(ANSWERS + 4 * cpu, context.memory().readInt(QUESTIONS + 4 * cpu));
    }
    window.disable();
    window.moveTo(WINDOW);
  }

  @Override
  public void reset() {}

  @Override
  public long read(long offset, int size) {
    return 0;
  }

  @Override
  public void write(long offset, int size, long value) {
    throw new IllegalStateException("a ring has reached the handler");
  }

  @Override
  public int read(int offset, int size) {
    return offset == 0 ? rounds : CPUS;
  }

  @Override
  public void write(int offset, int size, int value) {}

  @Override
  public State save() {
    return new State();
  }

  @Override
  public void restore(State state) {}
}
