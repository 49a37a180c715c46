package io.vmm4j.engine;

import io.vmm4j.api.VmExit;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.AddressClaim;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.InterruptSignal;
import io.vmm4j.api.device.MmioHandler;
import io.vmm4j.api.device.PortHandler;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;
import java.util.Arrays;
import java.util.OptionalLong;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * A device with three doorbells that answers each by an interrupt signal: at offset 0 of its
 * window, at offset 4 for the value 7, and at port 0x5F0. It counts them and what reaches its
 * handlers instead, and ends the machine with 42 if the guest counts the same.
 */
final class BellDevice
    implements DeviceModel<BellDevice.State>, MmioHandler, PortHandler, AutoCloseable {
  private static final long WINDOW = 0xB_0000;
  private static final long SPARE_WINDOW = 0xB_8000;
  private static final int PORT = 0x5F0;
  private static final int VECTOR = 0x40;

  /**
   * How it is made.
   *
   * @param rounds of the guest
   * @param ownThread whether a thread of the device's own raises the signal
   * @param spares how many doorbells and signals it has before those that it uses
   */
  record Config(int rounds, boolean ownThread, int spares) implements DeviceConfig {
    @Override
    public String deviceType() {
      return "bells";
    }
  }

  record State(int first, int second, int third, int others, boolean answered, long base) {}

  static final class Factory implements DeviceFactory<Config, State> {
    @Override
    public String type() {
      return "bells";
    }

    @Override
    public String summary() {
      return "for tests";
    }

    @Override
    public RecordSchema<Config> configSchema() {
      return RecordSchema.builder(MethodHandles.lookup(), Config.class)
          .defaults(new Config(1, false, 0))
          .build();
    }

    @Override
    public RecordSchema<State> stateSchema() {
      return RecordSchema.of(MethodHandles.lookup(), State.class);
    }

    @Override
    public DeviceModel<State> create(Config config, DeviceContext context) {
      return new BellDevice(config, context);
    }
  }

  private final Config config;
  private final Semaphore work = new Semaphore(0);
  private final DeviceContext context;
  private final AddressClaim window;
  private final InterruptSignal signal;
  private @Nullable Thread worker;
  private volatile boolean closed;
  private final int[] rings = new int[3];
  private int others;
  private boolean answered;

  BellDevice(Config config, DeviceContext machine) {
    this.config = config;
    context = machine;
    if (config.spares() > 0) {
      AddressClaim spare =
          machine.claimMmio(SPARE_WINDOW, 4L * config.spares(), AccessWidth.DWORD, this);
      for (int i = 0; i < config.spares(); i++) {
        spare.doorbell(4L * i, 4, OptionalLong.empty(), () -> rings[0]++);
        machine.interruptSignal();
      }
    }
    window = machine.claimMmio(WINDOW, 0x100, AccessWidth.DWORD, this);
    window.doorbell(0, 4, OptionalLong.empty(), () -> rung(0));
    window.doorbell(4, 4, OptionalLong.of(7), () -> rung(1));
    AddressClaim ports = machine.claimPorts(PORT, 16, AccessWidth.DWORD, this);
    ports.doorbell(0, 2, OptionalLong.empty(), () -> rung(2));
    signal = machine.interruptSignal();
    if (config.ownThread()) {
      worker = Thread.ofPlatform().name("vmm-guest-bells").daemon().start(this::work);
    }
  }

  private void work() {
    while (true) {
      work.acquireUninterruptibly();
      if (closed) {
        return;
      }
      signal.raise();
    }
  }

  private void rung(int bell) {
    rings[bell]++;
    answered = true;
    raise();
  }

  private void raise() {
    if (config.ownThread()) {
      work.release();
    } else {
      signal.raise();
    }
  }

  @Override
  public void reset() {
    signal.route(0xFEE0_0000L, VECTOR);
    window.moveTo(WINDOW);
    Arrays.fill(rings, 0);
    others = 0;
    answered = false;
  }

  @Override
  public long read(long offset, int size) {
    return offset == 8 ? answered ? 1 : 0 : offset == 12 ? config.rounds() : 0;
  }

  @Override
  public void write(long offset, int size, long value) {
    if (offset == 8) {
      answered = false;
    } else {
      others++;
    }
  }

  @Override
  public int read(int offset, int size) {
    return -1;
  }

  @Override
  public void write(int offset, int size, int value) {
    switch (offset) {
      case 8 -> {
        if (value == 0) {
          window.disable();
        } else {
          window.moveTo(value);
        }
      }
      case 12 -> {
        boolean same =
            Arrays.stream(rings).allMatch(count -> count == value) && others == 2 * value;
        context.console().transmit(same ? 'y' : 'n');
        context.requestExit(new VmExit.DebugExit(same ? 42 : 1));
      }
      default -> others++;
    }
  }

  @Override
  public State save() {
    return new State(rings[0], rings[1], rings[2], others, answered, window.base());
  }

  @Override
  public void restore(State state) {
    rings[0] = state.first();
    rings[1] = state.second();
    rings[2] = state.third();
    others = state.others();
    answered = state.answered();
    if (state.base() < 0) {
      window.disable();
    } else {
      window.moveTo(state.base());
    }
    if (answered) {
      raise(); // the one before may not have been sent
    }
  }

  @Override
  public void close() {
    closed = true;
    work.release();
    Thread running = worker;
    if (running != null) {
      try {
        running.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
