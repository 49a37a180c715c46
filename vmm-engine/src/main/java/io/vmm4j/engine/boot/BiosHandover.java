package io.vmm4j.engine.boot;

import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.engine.memory.RamLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;

/**
 * What a kernel finds that was started by a PC's BIOS and may go back to real mode: interrupt
 * vectors whose handlers do nothing but return, interrupt controllers at vectors 0x08 and 0x70 with
 * the timer's line open, and a timer that ticks 18.2 times a second (IBM PC/AT technical reference,
 * BIOS listing; 8259A and 8254 datasheets).
 *
 * <p>The devices are set up as a BIOS does it, by guest code before the kernel's first instruction:
 * no device need know how the machine was started.
 */
final class BiosHandover {
  private static final int ROM_SEGMENT = 0xF000;

  // The first two are where the BIOS of the IBM PC has them.
  private static final int TIMER_HANDLER = 0xFEA5;
  private static final int RETURN_HANDLER = 0xFF53;
  private static final int SECOND_CONTROLLER_HANDLER = 0xFF60;

  private static final String RETURN = "cf"; // iret

  /** Ends the interrupt at the first controller. */
  private static final String END_AND_RETURN =
      "50" // push ax
          + "b020 e620" // mov al, 0x20; out 0x20, al
          + "58 cf"; // pop ax; iret

  /** Ends the interrupt at both controllers. */
  private static final String END_BOTH_AND_RETURN = "50 b020 e6a0 e620 58 cf";

  /** To be followed by what sets EAX and enters the kernel; it changes no other register. */
  private static final String SET_UP_DEVICES =
      "b036 e643" // counter 0: low byte then high, mode 3
          + "b000 e640 e640" // from 65536
          + "b011 e620 e6a0" // ICW1: edges, of which none is seen yet; two controllers; ICW4
          // follows
          + "b008 e621 b070 e6a1" // ICW2: their first vectors
          + "b004 e621 b002 e6a1" // ICW3: the second at line 2
          + "b001 e621 e6a1" // ICW4: 8086 mode
          + "b0fa e621 b0ff e6a1"; // open: line 0, the timer, and line 2, the second controller

  private BiosHandover() {}

  /**
   * Writes the vectors and their handlers, if the machine has the RAM that stands for a BIOS ROM.
   * What is loaded later may lie over them.
   */
  static void writeVectors(BootTarget target) {
    long rom = ROM_SEGMENT << 4;
    if (!target.ram().contains(rom, RamLayout.EXTENDED - rom)) {
      return;
    }
    GuestMemory memory = target.memory();
    memory.write(rom + RETURN_HANDLER, bytes(RETURN));
    memory.write(rom + TIMER_HANDLER, bytes(END_AND_RETURN));
    memory.write(rom + SECOND_CONTROLLER_HANDLER, bytes(END_BOTH_AND_RETURN));
    for (int vector = 0; vector < 0x100; vector++) {
      int handler =
          switch (vector & 0xF8) {
            case 0x08 -> TIMER_HANDLER;
            case 0x70 -> SECOND_CONTROLLER_HANDLER;
            default -> RETURN_HANDLER;
          };
      memory.writeInt(vector * 4L, ROM_SEGMENT << 16 | handler);
    }
  }

  /**
   * Writes the code that sets up the devices, in 32-bit mode, and enters a kernel.
   *
   * @param eax what the kernel is to find in EAX; its other registers are those at the entry here
   * @param kernel its first instruction, below 4 GiB
   * @return where the code is entered
   */
  static long writeEntry(GuestMemory memory, int eax, long kernel) {
    byte[] setUp = bytes(SET_UP_DEVICES);
    ByteBuffer code = ByteBuffer.allocate(setUp.length + 10).order(ByteOrder.LITTLE_ENDIAN);
    code.put(setUp).put((byte) 0xB8).putInt(eax); // mov eax, imm32
    long next = BootArea.ENTRY_CODE + code.capacity();
    code.put((byte) 0xE9).putInt((int) (kernel - next)); // jmp rel32
    memory.write(BootArea.ENTRY_CODE, code.array());
    return BootArea.ENTRY_CODE;
  }

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }
}
