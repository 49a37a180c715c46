package io.vmm4j.engine.boot;

import io.vmm4j.api.memory.GuestMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;

/**
 * The devices as a kernel finds them that was started by a PC's BIOS and may go back to real mode:
 * interrupt controllers at vectors 0x08 and 0x70 with the timer's line open, and a timer that ticks
 * 18.2 times a second (IBM PC/AT technical reference, BIOS listing; 8259A and 8254 datasheets). The
 * memory that a BIOS leaves is {@link BiosData}.
 *
 * <p>The devices are set up as a BIOS does it, by guest code before the kernel's first instruction:
 * no device need know how the machine was started.
 */
final class BiosHandover {
  /**
   * The same bytes in 16 and 32-bit code. To be followed by what sets EAX and enters the kernel; it
   * changes no other register.
   */
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

  /**
   * Writes the code that sets up the devices, in real mode, and enters a kernel there. It changes
   * AX.
   *
   * <p>It is entered at the first byte of the segment whose base is {@link BootArea#ENTRY_CODE}.
   */
  static void writeRealModeEntry(GuestMemory memory, int segment, int offset) {
    byte[] setUp = bytes(SET_UP_DEVICES);
    ByteBuffer code = ByteBuffer.allocate(setUp.length + 5).order(ByteOrder.LITTLE_ENDIAN);
    code.put(setUp).put((byte) 0xEA).putShort((short) offset).putShort((short) segment); // jmp far
    memory.write(BootArea.ENTRY_CODE, code.array());
  }

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }
}
