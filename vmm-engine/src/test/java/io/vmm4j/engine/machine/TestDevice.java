package io.vmm4j.engine.machine;

import io.vmm4j.api.MemorySize;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.ByteChannelEndpoint;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceMemory;
import io.vmm4j.api.device.DeviceMemoryMapping;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.DeviceTimer;
import io.vmm4j.api.device.GuestAccess;
import io.vmm4j.api.device.PortHandler;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;

/**
 * A device for tests of the machine: a console, a periodic timer that sends messages, a window of
 * device memory that moves, an exit, and an error on demand.
 */
final class TestDevice implements DeviceModel<TestDevice.State>, PortHandler {
  static final int PORT = 0x500;
  static final int CONSOLE = 0;
  static final int PERIOD = 4;
  static final int WINDOW = 8;
  static final int EXIT = 12;
  static final int THROW = 16;
  static final int TICKS = 20;

  /** How long its window is, and which states it refuses. */
  record Config(int windowPages, int failRestoreBelow) implements DeviceConfig {
    static final Config STANDARD = new Config(2, -1);

    Config {
      if (windowPages < 1) {
        throw new IllegalArgumentException("windowPages: at least 1, not " + windowPages);
      }
    }

    @Override
    public String deviceType() {
      return "test-device";
    }
  }

  record State(int period, long deadline, int ticks, int refused) {}

  static final class Factory implements DeviceFactory<Config, State> {
    @Override
    public String type() {
      return "test-device";
    }

    @Override
    public String summary() {
      return "for tests";
    }

    @Override
    public RecordSchema<Config> configSchema() {
      return RecordSchema.builder(MethodHandles.lookup(), Config.class)
          .defaults(Config.STANDARD)
          .build();
    }

    @Override
    public RecordSchema<State> stateSchema() {
      return RecordSchema.of(MethodHandles.lookup(), State.class);
    }

    @Override
    public DeviceModel<State> create(Config config, DeviceContext context) {
      return new TestDevice(config, context);
    }
  }

  private final Config config;
  private final DeviceContext context;
  private final DeviceTimer timer;
  private final DeviceMemoryMapping mapping;
  private final ByteChannelEndpoint console;
  private int period;
  private long deadline;
  private int ticks;
  private int refused;

  TestDevice(Config config, DeviceContext machine) {
    this.config = config;
    context = machine;
    machine.claimPorts(PORT, 24, AccessWidth.DWORD, this);
    console = machine.console();
    timer = machine.timer("tick", this::tick);
    DeviceMemory memory =
        machine.deviceMemory("window", MemorySize.kibibytes(4L * config.windowPages()));
    mapping = memory.map(0xE000_0000L, GuestAccess.READ_WRITE);
  }

  @Override
  public void reset() {
    period = 0;
    deadline = 0;
    ticks = 0;
    refused = 0;
    timer.cancel();
    mapping.remap(0xE000_0000L, GuestAccess.READ_WRITE);
  }

  private void tick() {
    ticks++;
    deadline += period;
    timer.armAt(deadline);
    context.messageInterrupts().send(0xFEE0_0000L, 0x40 + (ticks & 7));
  }

  @Override
  public int read(int offset, int size) {
    return switch (offset) {
      case CONSOLE -> console.receive();
      case TICKS -> ticks;
      case WINDOW -> refused;
      default -> -1;
    };
  }

  @Override
  public void write(int offset, int size, int value) {
    switch (offset) {
      case CONSOLE -> console.transmit(value);
      case PERIOD -> {
        period = value;
        deadline = context.clock().nanoTime() + value;
        if (value == 0) {
          timer.cancel();
        } else {
          timer.armAt(deadline);
        }
      }
      case WINDOW -> move(value & 0xFFFF_FFFFL);
      case EXIT -> context.requestExit(new VmExit.DebugExit(value));
      case THROW -> throw new IllegalStateException("the guest wants it");
      default -> {}
    }
  }

  private void move(long to) {
    long from = mapping.guestPhysicalAddress();
    mapping.remap(to, GuestAccess.READ_WRITE);
    if (!mapping.isSeen()) {
      mapping.remap(from, GuestAccess.READ_WRITE);
      refused++;
    }
  }

  @Override
  public State save() {
    return new State(period, deadline, ticks, refused);
  }

  @Override
  public void restore(State state) {
    if (state.ticks() < config.failRestoreBelow()) {
      throw new IllegalArgumentException("ticks: " + state.ticks() + " is not wanted");
    }
    period = state.period();
    deadline = state.deadline();
    ticks = state.ticks();
    refused = state.refused();
    if (period > 0) {
      timer.armAt(deadline);
    }
  }
}
