package io.vmm4j.devices.i8042;

import io.vmm4j.api.VmExit;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.InterruptLine;
import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.device.PortHandler;
import java.util.Arrays;

/**
 * The PC's keyboard controller at ports 0x60 and 0x64 (IBM PS/2 hardware interface technical
 * reference, "Keyboard and auxiliary device controller") with a keyboard on interrupt line 1. There
 * is no auxiliary device: its commands answer at once, and in the way that tells drivers so. A20 is
 * always on, whatever the output port says.
 */
final class I8042 implements DeviceModel<I8042State> {
  static final int MEMORY_BYTES = 32;

  private static final int DATA_PORT = 0x60;
  private static final int COMMAND_PORT = 0x64;
  private static final int KEYBOARD_IRQ = 1;

  // The command byte, memory byte 0.
  private static final int KEYBOARD_INTERRUPT = 0x01;
  private static final int SYSTEM_FLAG = 0x04;
  private static final int KEYBOARD_DISABLED = 0x10;
  private static final int AUXILIARY_DISABLED = 0x20;
  private static final int TRANSLATE = 0x40;

  // The status register.
  private static final int OUTPUT_FULL = 0x01;
  private static final int LAST_WAS_COMMAND = 0x08;
  private static final int NOT_LOCKED = 0x10;
  private static final int TIME_OUT = 0x40;

  // The output port.
  private static final int NO_RESET = 0x01;
  private static final int A20 = 0x02;
  private static final int KEYBOARD_OUTPUT_FULL = 0x10;

  private static final int WRITE_OUTPUT_PORT = 0xD1;
  private static final int WRITE_KEYBOARD_OUTPUT = 0xD2;
  private static final int WRITE_AUXILIARY_OUTPUT = 0xD3;
  private static final int WRITE_AUXILIARY = 0xD4;

  private final byte[] memory = new byte[MEMORY_BYTES];
  private final Ps2Keyboard keyboard = new Ps2Keyboard();
  private final DeviceContext context;
  private final InterruptLine line;
  private int outputPort;
  private int awaited;
  private boolean outputFull;
  private int output;
  private boolean outputFromKeyboard;
  private boolean timedOut;
  private boolean lastWasCommand;

  @SuppressWarnings("unused") // Every device is made from its configuration.
  I8042(I8042Config config, DeviceContext machine) {
    context = machine;
    line = machine.interruptLine(KEYBOARD_IRQ);
    machine.claimPorts(DATA_PORT, 1, AccessWidth.BYTE, new DataPort());
    machine.claimPorts(COMMAND_PORT, 1, AccessWidth.BYTE, new CommandPort());
    machine.describe(new PlatformFact.KeyboardController());
  }

  @Override
  public void reset() {
    Arrays.fill(memory, (byte) 0);
    memory[0] = KEYBOARD_DISABLED | AUXILIARY_DISABLED;
    outputPort = NO_RESET | A20;
    awaited = 0;
    outputFull = false;
    output = 0;
    outputFromKeyboard = false;
    timedOut = false;
    lastWasCommand = false;
    keyboard.reset();
    drive();
  }

  private boolean isSet(int commandByteBit) {
    return (memory[0] & commandByteBit) != 0;
  }

  private void set(int commandByteBit, boolean on) {
    memory[0] = (byte) (on ? memory[0] | commandByteBit : memory[0] & ~commandByteBit);
  }

  private void reply(int value) {
    outputFull = true;
    output = value & 0xFF;
    outputFromKeyboard = false;
    timedOut = false;
  }

  /** Takes the keyboard's next byte if there is room, and drives the interrupt line. */
  private void advance() {
    if (!outputFull && !isSet(KEYBOARD_DISABLED) && keyboard.hasOutput()) {
      outputFull = true;
      output = keyboard.send();
      outputFromKeyboard = true;
      timedOut = false;
    }
    drive();
  }

  private void drive() {
    line.set(outputFull && isSet(KEYBOARD_INTERRUPT));
  }

  private final class DataPort implements PortHandler {
    @Override
    public int read(int offset, int size) {
      int value = output;
      outputFull = false;
      timedOut = false;
      // The line falls between two bytes: each is an interrupt of its own.
      drive();
      advance();
      return value;
    }

    @Override
    public void write(int offset, int size, int value) {
      lastWasCommand = false;
      int command = awaited;
      awaited = 0;
      if (command == 0) {
        // The controller enables the keyboard to send it something.
        set(KEYBOARD_DISABLED, false);
        keyboard.receive(value, isSet(TRANSLATE));
      } else {
        data(command, value);
      }
      advance();
    }
  }

  private final class CommandPort implements PortHandler {
    @Override
    public int read(int offset, int size) {
      return (outputFull ? OUTPUT_FULL : 0)
          | (isSet(SYSTEM_FLAG) ? SYSTEM_FLAG : 0)
          | (lastWasCommand ? LAST_WAS_COMMAND : 0)
          | NOT_LOCKED
          | (timedOut ? TIME_OUT : 0);
    }

    @Override
    public void write(int offset, int size, int value) {
      lastWasCommand = true;
      awaited = 0;
      command(value);
      advance();
    }
  }

  private void command(int value) {
    switch (value) {
      case 0xA4 -> reply(0xF1); // No password.
      case 0xA7 -> set(AUXILIARY_DISABLED, true);
      case 0xA8 -> set(AUXILIARY_DISABLED, false);
      case 0xA9 -> reply(0x01); // The auxiliary clock line is stuck low.
      case 0xAA -> {
        set(SYSTEM_FLAG, true);
        reply(0x55);
      }
      case 0xAB -> reply(0x00); // The keyboard lines are good.
      case 0xAD -> set(KEYBOARD_DISABLED, true);
      case 0xAE -> set(KEYBOARD_DISABLED, false);
      case 0xC0 -> reply(0x80); // Input port: the keyboard is not locked.
      case 0xD0 -> reply(outputPort | (outputFull ? KEYBOARD_OUTPUT_FULL : 0));
      case WRITE_OUTPUT_PORT, WRITE_KEYBOARD_OUTPUT, WRITE_AUXILIARY_OUTPUT, WRITE_AUXILIARY ->
          awaited = value;
      case 0xDD -> outputPort &= ~A20;
      case 0xDF -> outputPort |= A20;
      case 0xE0 -> reply(0x00); // Test inputs.
      default -> {
        if (value >= 0x20 && value < 0x40) {
          reply(memory[value & 0x1F]);
        } else if (value >= 0x60 && value < 0x80) {
          awaited = value;
        } else if (value >= 0xF0 && (value & NO_RESET) == 0) {
          // Pulses the low bits of the output port that are 0; bit 0 is the processor's reset.
          requestReset();
        }
      }
    }
  }

  private void data(int command, int value) {
    switch (command) {
      case WRITE_OUTPUT_PORT -> {
        outputPort = value & ~KEYBOARD_OUTPUT_FULL;
        if ((value & NO_RESET) == 0) {
          requestReset();
        }
      }
      case WRITE_KEYBOARD_OUTPUT -> {
        reply(value);
        outputFromKeyboard = true;
      }
      // Comes back, but not as from an auxiliary device: drivers conclude that there is none.
      case WRITE_AUXILIARY_OUTPUT -> reply(value);
      case WRITE_AUXILIARY -> {
        reply(0xFE);
        timedOut = true;
      }
      default -> memory[command & 0x1F] = (byte) value;
    }
  }

  private void requestReset() {
    context.requestExit(new VmExit.Reset(VmExit.Reset.Cause.KEYBOARD_CONTROLLER));
  }

  @Override
  public I8042State save() {
    return new I8042State(
        memory.clone(),
        outputPort,
        awaited,
        outputFull,
        output,
        outputFromKeyboard,
        timedOut,
        lastWasCommand,
        keyboard.save());
  }

  @Override
  public void restore(I8042State state) {
    System.arraycopy(state.memory(), 0, memory, 0, MEMORY_BYTES);
    outputPort = state.outputPort();
    awaited = state.awaited();
    outputFull = state.outputFull();
    output = state.output();
    outputFromKeyboard = state.outputFromKeyboard();
    timedOut = state.timedOut();
    lastWasCommand = state.lastWasCommand();
    keyboard.restore(state.keyboard());
    drive();
  }
}
