package io.vmm4j.devices.uart;

import io.vmm4j.api.clock.VmClock;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.ByteChannelEndpoint;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.DeviceTimer;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.device.PortHandler;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A 16550A serial port (National Semiconductor PC16550D datasheet), connected with the console of
 * its path.
 *
 * <p>Characters are transmitted at once, so the transmitter is always empty. Received ones wait on
 * the host until there is room: none is lost to an overrun. They arrive in batches of at most what
 * the FIFO holds, and the next batch only after the guest has read all of the last one. So the
 * interrupt line falls and rises between batches, as a driver of an edge-triggered interrupt needs.
 * Between two batches the line is at rest for twice as long as the guest took to read, so that a
 * guest keeps up with any amount of input: its driver buffers a few hundred kilobytes and drops the
 * rest, if what reads from the driver does not get to run.
 *
 * <p>The terminal at the other end is always there: CTS, DSR and DCD are asserted. The interrupt
 * does not depend on OUT2.
 *
 * {@snippet :
 * VmSpec.builder("web").device("com1", Uart.com1());
 * }
 */
public final class Uart implements DeviceModel<UartState>, PortHandler {
  static final int FIFO_CHARACTERS = 16;

  /** 1.8432 MHz over 16. */
  private static final long BASE_BAUD = 115_200;

  private static final int RECEIVED_ENABLE = 0x01;
  private static final int TRANSMITTER_ENABLE = 0x02;
  private static final int LINE_STATUS_ENABLE = 0x04;
  private static final int MODEM_STATUS_ENABLE = 0x08;

  private static final int NO_INTERRUPT = 0x01;
  private static final int MODEM_STATUS = 0x00;
  private static final int TRANSMITTER_EMPTY = 0x02;
  private static final int RECEIVED_DATA = 0x04;
  private static final int LINE_STATUS = 0x06;
  private static final int CHARACTER_TIMEOUT = 0x0C;

  private static final int FIFO_ENABLE = 0x01;
  private static final int FIFO_CLEAR_RECEIVER = 0x02;
  private static final int FIFO_TRIGGER = 0xC0;

  private static final int DIVISOR_LATCH = 0x80;
  private static final int SET_BREAK = 0x40;

  private static final int LOOPBACK = 0x10;

  private static final int DATA_READY = 0x01;
  private static final int OVERRUN = 0x02;
  private static final int BREAK = 0x10;
  private static final int TRANSMITTER_IDLE = 0x60;
  private static final int FIFO_ERROR = 0x80;

  /** DCD, DSR and CTS. */
  private static final int TERMINAL_PRESENT = 0xB0;

  private static final int RING = 0x40;

  /** How many times as long as the guest read the line rests. */
  private static final int REST_FACTOR = 2;

  /** The longest rest: a guest may have left a character unread for hours. */
  private static final long MOST_REST_NANOS = 10_000_000;

  private final UartConfig config;
  private final ArrayDeque<Integer> received = new ArrayDeque<>(FIFO_CHARACTERS);
  private final ByteChannelEndpoint console;
  private final VmClock clock;
  private final DeviceTimer timer;
  private final DeviceTimer restTimer;
  private final InterruptLine line;

  private int interruptEnable;
  private int fifoControl;
  private int lineControl;
  private int modemControl;
  private int scratch;
  private int divisor;
  private int modemChanges;
  private boolean overrun;
  private boolean transmitterEmptyPending;
  private boolean timeoutPending;
  private Optional<Long> timeoutAt = Optional.empty();
  private int receiverBuffer;
  private boolean lineAsserted;

  /** Characters from the host since the receiver was last empty, and the time of the first. */
  private int batch;

  private long batchBeganAt;
  private Optional<Long> restUntil = Optional.empty();

  Uart(UartConfig config, DeviceContext context) {
    this.config = config;
    clock = context.clock();
    line = context.interruptLine(config.irq());
    timer = context.timer("character timeout", this::characterTimeout);
    restTimer = context.timer("next characters", this::restEnded);
    console = context.console();
    console.onReceivable(this::takeFromHost);
    context.claimPorts(config.port(), 8, AccessWidth.BYTE, this);
    context.describe(
        new PlatformFact.FixedDevice(
            acpiName(),
            "PNP0501",
            List.of(new PlatformFact.PortRange(config.port(), 8)),
            List.of(),
            List.of(config.irq())));
  }

  /** The first serial port of a PC: port 0x3F8, IRQ 4. */
  public static UartConfig com1() {
    return new UartConfig(0x3F8, 4);
  }

  /** The second: port 0x2F8, IRQ 3. */
  public static UartConfig com2() {
    return new UartConfig(0x2F8, 3);
  }

  /** The third: port 0x3E8, IRQ 4. */
  public static UartConfig com3() {
    return new UartConfig(0x3E8, 4);
  }

  /** The fourth: port 0x2E8, IRQ 3. */
  public static UartConfig com4() {
    return new UartConfig(0x2E8, 3);
  }

  private String acpiName() {
    return switch (config.port()) {
      case 0x3F8 -> "COM1";
      case 0x2F8 -> "COM2";
      case 0x3E8 -> "COM3";
      case 0x2E8 -> "COM4";
      default -> String.format(Locale.ROOT, "S%03X", config.port() >> 3);
    };
  }

  @Override
  public void reset() {
    received.clear();
    interruptEnable = 0;
    fifoControl = 0;
    lineControl = 0;
    modemControl = 0;
    scratch = 0;
    divisor = 12; // 9600 baud; the datasheet leaves it open.
    modemChanges = 0;
    overrun = false;
    transmitterEmptyPending = false;
    receiverBuffer = 0;
    stopTimeout();
    endBatch();
    batchBeganAt = 0;
    lineAsserted = false;
    line.set(false);
  }

  @Override
  public int read(int offset, int size) {
    boolean divisorLatch = (lineControl & DIVISOR_LATCH) != 0;
    return switch (offset) {
      case 0 -> divisorLatch ? divisor & 0xFF : readReceived();
      case 1 -> divisorLatch ? divisor >> 8 : interruptEnable;
      case 2 -> readInterruptIdentification();
      case 3 -> lineControl;
      case 4 -> modemControl;
      case 5 -> readLineStatus();
      case 6 -> readModemStatus();
      default -> scratch;
    };
  }

  @Override
  public void write(int offset, int size, int value) {
    boolean divisorLatch = (lineControl & DIVISOR_LATCH) != 0;
    switch (offset) {
      case 0 -> {
        if (divisorLatch) {
          divisor = divisor & 0xFF00 | value;
        } else {
          transmit(value);
        }
      }
      case 1 -> {
        if (divisorLatch) {
          divisor = divisor & 0xFF | value << 8;
        } else {
          writeInterruptEnable(value);
        }
      }
      case 2 -> writeFifoControl(value);
      case 3 -> writeLineControl(value);
      case 4 -> writeModemControl(value);
      case 7 -> scratch = value;
      default -> {
        // LSR and MSR are read only.
      }
    }
    update();
  }

  private boolean loopback() {
    return (modemControl & LOOPBACK) != 0;
  }

  private boolean fifoEnabled() {
    return (fifoControl & FIFO_ENABLE) != 0;
  }

  private int capacity() {
    return fifoEnabled() ? FIFO_CHARACTERS : 1;
  }

  private int triggerLevel() {
    if (!fifoEnabled()) {
      return 1;
    }
    return switch (fifoControl >> 6) {
      case 0 -> 1;
      case 1 -> 4;
      case 2 -> 8;
      default -> 14;
    };
  }

  private void transmit(int value) {
    if (loopback()) {
      arrive(value);
    } else {
      console.transmit(value);
    }
    // The holding register fills and empties: an interrupt that was asked for ends and comes anew.
    transmitterEmptyPending = false;
    update();
    transmitterEmptyPending = true;
  }

  /** A character from the own transmitter. */
  private void arrive(int character) {
    if (received.size() == capacity()) {
      overrun = true;
      if (fifoEnabled()) {
        return;
      }
      received.clear();
    }
    received.add(character);
    restartTimeout();
  }

  private void takeFromHost() {
    if (loopback() || restUntil.isPresent()) {
      return;
    }
    boolean any = false;
    while (batch < capacity() && received.size() < capacity()) {
      int character = console.receive();
      if (character < 0) {
        break;
      }
      if (batch++ == 0) {
        batchBeganAt = clock.nanoTime();
      }
      received.add(character & 0xFF);
      any = true;
    }
    if (any) {
      restartTimeout();
      update();
    }
  }

  private int readReceived() {
    Integer character = received.poll();
    timeoutPending = false;
    restartTimeout();
    // The line falls before more arrives.
    update();
    if (received.isEmpty()) {
      rest();
    }
    takeFromHost();
    if (character != null) {
      receiverBuffer = character & 0xFF;
    }
    return receiverBuffer;
  }

  /** The guest has read a whole batch: lets the line rest before the next one. */
  private void rest() {
    if (batch == 0) {
      return;
    }
    long now = clock.nanoTime();
    // A batch from a file may seem to have begun later than now.
    long took = Math.clamp(now - batchBeganAt, 0, MOST_REST_NANOS / REST_FACTOR);
    endBatch();
    if (took > 0) {
      long until = now + REST_FACTOR * took;
      restUntil = Optional.of(until);
      restTimer.armAt(until);
    }
  }

  private void restEnded() {
    restUntil = Optional.empty();
    takeFromHost();
  }

  /** Lets characters arrive at once. */
  private void endBatch() {
    batch = 0;
    restUntil = Optional.empty();
    if (restTimer != null) {
      restTimer.cancel();
    }
  }

  /** Section 8.4.1: 4 character times after the last arrival and the last read. */
  private void restartTimeout() {
    if (received.isEmpty() || !fifoEnabled()) {
      stopTimeout();
      return;
    }
    long baud = Math.max(1, BASE_BAUD / Math.max(1, divisor));
    int bits = 1 + 5 + (lineControl & 3) + (lineControl >> 3 & 1) + 1 + (lineControl >> 2 & 1);
    long at = clock.nanoTime() + 4 * bits * 1_000_000_000L / baud;
    timeoutAt = Optional.of(at);
    timer.armAt(at);
  }

  private void stopTimeout() {
    timeoutPending = false;
    timeoutAt = Optional.empty();
    if (timer != null) {
      timer.cancel();
    }
  }

  private void characterTimeout() {
    timeoutAt = Optional.empty();
    if (fifoEnabled() && !received.isEmpty()) {
      timeoutPending = true;
      update();
    }
  }

  private void writeInterruptEnable(int value) {
    int before = interruptEnable;
    interruptEnable = value & 0x0F;
    if ((interruptEnable & ~before & TRANSMITTER_ENABLE) != 0) {
      // The transmitter is empty: enabling its interrupt raises it.
      transmitterEmptyPending = true;
    }
  }

  private int readInterruptIdentification() {
    int id = interrupt();
    if (id == TRANSMITTER_EMPTY) {
      transmitterEmptyPending = false;
      update();
    }
    return id | (fifoEnabled() ? 0xC0 : 0);
  }

  private void writeFifoControl(int value) {
    boolean switched = ((value ^ fifoControl) & FIFO_ENABLE) != 0;
    // The other bits are only taken when the FIFOs are being or stay enabled.
    fifoControl = (value & FIFO_ENABLE) != 0 ? value & (FIFO_ENABLE | FIFO_TRIGGER) : 0;
    if (switched || (value & FIFO_CLEAR_RECEIVER) != 0 && fifoEnabled()) {
      received.clear();
      stopTimeout();
      endBatch();
      update();
      takeFromHost();
    }
  }

  private void writeLineControl(int value) {
    boolean breakBegins = (value & ~lineControl & SET_BREAK) != 0;
    lineControl = value;
    if (breakBegins && loopback()) {
      arrive(BREAK << 8);
    }
  }

  private void writeModemControl(int value) {
    int before = modemLines();
    boolean wasLoopback = loopback();
    modemControl = value & 0x1F;
    int after = modemLines();
    int changed = before ^ after;
    // DCTS, DDSR and DDCD for any change; TERI when RI ends.
    modemChanges |= changed >> 4 & 0xB | (before & ~after & RING) >> 4;
    if (wasLoopback && !loopback()) {
      takeFromHost();
    }
  }

  /** Bits 4 to 7 of MSR. In loopback the modem control outputs are connected to them. */
  private int modemLines() {
    if (!loopback()) {
      return TERMINAL_PRESENT;
    }
    int dtr = modemControl & 1;
    int rts = modemControl >> 1 & 1;
    int out1 = modemControl >> 2 & 1;
    int out2 = modemControl >> 3 & 1;
    return rts << 4 | dtr << 5 | out1 << 6 | out2 << 7;
  }

  private int readLineStatus() {
    int errors = firstErrors();
    int status =
        TRANSMITTER_IDLE
            | (received.isEmpty() ? 0 : DATA_READY)
            | (overrun ? OVERRUN : 0)
            | errors
            | (fifoEnabled() && anyErrors() ? FIFO_ERROR : 0);
    overrun = false;
    if (errors != 0) {
      received.addFirst(received.removeFirst() & 0xFF);
    }
    update();
    return status;
  }

  private int firstErrors() {
    return received.isEmpty() ? 0 : received.getFirst() >> 8;
  }

  private boolean anyErrors() {
    for (int character : received) {
      if (character > 0xFF) {
        return true;
      }
    }
    return false;
  }

  private int readModemStatus() {
    int status = modemLines() | modemChanges;
    modemChanges = 0;
    update();
    return status;
  }

  /** The interrupt of highest priority (table IV of the datasheet). */
  private int interrupt() {
    if ((interruptEnable & LINE_STATUS_ENABLE) != 0 && (overrun || firstErrors() != 0)) {
      return LINE_STATUS;
    }
    if ((interruptEnable & RECEIVED_ENABLE) != 0) {
      if (received.size() >= triggerLevel()) {
        return RECEIVED_DATA;
      }
      if (timeoutPending) {
        return CHARACTER_TIMEOUT;
      }
    }
    if ((interruptEnable & TRANSMITTER_ENABLE) != 0 && transmitterEmptyPending) {
      return TRANSMITTER_EMPTY;
    }
    if ((interruptEnable & MODEM_STATUS_ENABLE) != 0 && modemChanges != 0) {
      return MODEM_STATUS;
    }
    return NO_INTERRUPT;
  }

  private void update() {
    boolean asserted = interrupt() != NO_INTERRUPT;
    if (asserted != lineAsserted) {
      lineAsserted = asserted;
      line.set(asserted);
    }
  }

  @Override
  public UartState save() {
    return new UartState(
        interruptEnable,
        fifoControl,
        lineControl,
        modemControl,
        scratch,
        divisor,
        modemChanges,
        List.copyOf(received),
        overrun,
        transmitterEmptyPending,
        timeoutPending,
        timeoutAt,
        receiverBuffer,
        batch,
        batchBeganAt,
        restUntil);
  }

  @Override
  public void restore(UartState state) {
    interruptEnable = state.interruptEnable();
    fifoControl = state.fifoControl();
    lineControl = state.lineControl();
    modemControl = state.modemControl();
    scratch = state.scratch();
    divisor = state.divisor();
    modemChanges = state.modemChanges();
    received.clear();
    received.addAll(state.received());
    overrun = state.overrun();
    transmitterEmptyPending = state.transmitterEmptyPending();
    timeoutPending = state.timeoutPending();
    timeoutAt = state.timeoutAt();
    receiverBuffer = state.receiverBuffer();
    timeoutAt.ifPresentOrElse(timer::armAt, timer::cancel);
    batch = state.batch();
    batchBeganAt = state.batchBeganAt();
    restUntil = state.restUntil();
    restUntil.ifPresentOrElse(restTimer::armAt, restTimer::cancel);
    lineAsserted = interrupt() != NO_INTERRUPT;
    line.set(lineAsserted);
  }
}
