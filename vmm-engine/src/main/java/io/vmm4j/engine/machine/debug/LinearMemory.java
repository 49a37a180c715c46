package io.vmm4j.engine.machine.debug;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.debug.LinearAddressException;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.api.memory.GuestMemoryException;
import io.vmm4j.x86.ControlBits;
import java.util.Arrays;
import java.util.OptionalLong;

/**
 * Memory as the code of one vCPU sees it, for a debugger: through the page tables (Intel SDM volume
 * 3, chapter 4), but without access rights, without setting accessed and dirty bits, and without a
 * TLB. While the machine stands.
 *
 * @param cpu whose page tables
 * @param memory the guest's physical memory
 */
public record LinearMemory(CpuState cpu, GuestMemory memory) {
  private static final int MSR_EFER = 0xC0000080;
  private static final long PRESENT = 1;
  private static final long LARGE = 0x80;
  private static final long FRAME = 0x000F_FFFF_FFFF_F000L;
  private static final int PAGE_BYTES = 0x1000;

  /** The guest physical address; empty where nothing is mapped. */
  public OptionalLong physical(long linear) {
    if ((cpu.cr0() & ControlBits.CR0_PG) == 0) {
      return OptionalLong.of(linear & 0xFFFFFFFFL);
    }
    if ((cpu.msr(MSR_EFER) & ControlBits.EFER_LMA) != 0) {
      boolean canonical = linear << 16 >> 16 == linear;
      return canonical ? walk(linear, cpu.cr3() & FRAME, 4) : OptionalLong.empty();
    }
    return (cpu.cr4() & ControlBits.CR4_PAE) != 0
        ? walk(linear & 0xFFFFFFFFL, cpu.cr3() & 0xFFFFFFE0L, 3)
        : walk32(linear & 0xFFFFFFFFL);
  }

  private OptionalLong walk(long linear, long root, int levels) {
    long table = root;
    for (int level = levels; ; level--) {
      int shift = 12 + 9 * (level - 1);
      long at = table + ((linear >>> shift & 511) << 3);
      if (!memory.contains(at, 8)) {
        return OptionalLong.empty();
      }
      long entry = memory.readLong(at);
      if ((entry & PRESENT) == 0) {
        return OptionalLong.empty();
      }
      if (level == 1 || (entry & LARGE) != 0 && level < 4 && level < levels) {
        long inside = (1L << shift) - 1;
        return OptionalLong.of(entry & FRAME & ~inside | linear & inside);
      }
      table = entry & FRAME;
    }
  }

  private OptionalLong walk32(long linear) {
    long directoryAt = (cpu.cr3() & 0xFFFFF000L) + ((linear >>> 22) << 2);
    if (!memory.contains(directoryAt, 4)) {
      return OptionalLong.empty();
    }
    int directory = memory.readInt(directoryAt);
    if ((directory & PRESENT) == 0) {
      return OptionalLong.empty();
    }
    if ((directory & LARGE) != 0 && (cpu.cr4() & ControlBits.CR4_PSE) != 0) {
      long high = (long) (directory >>> 13 & 0xFF) << 32;
      return OptionalLong.of(high | directory & 0xFFC0_0000L | linear & 0x3F_FFFF);
    }
    long tableAt = (directory & 0xFFFFF000L) + ((linear >>> 12 & 0x3FF) << 2);
    if (!memory.contains(tableAt, 4)) {
      return OptionalLong.empty();
    }
    int entry = memory.readInt(tableAt);
    return (entry & PRESENT) == 0
        ? OptionalLong.empty()
        : OptionalLong.of(entry & 0xFFFFF000L | linear & 0xFFF);
  }

  /**
   * Copies bytes out.
   *
   * @throws LinearAddressException at the first page that leads to no memory
   */
  public byte[] read(long linear, int length) {
    byte[] bytes = new byte[length];
    int done = 0;
    while (done < length) {
      long at = linear + done;
      int part = part(at, length - done);
      memory.read(require("read", at, part), bytes, done, part);
      done += part;
    }
    return bytes;
  }

  /**
   * Copies bytes in.
   *
   * @throws LinearAddressException at the first page that leads to no writable memory; nothing is
   *     written then
   */
  public void write(long linear, byte[] bytes) {
    byte[] before = read(linear, bytes.length);
    int done = 0;
    while (done < bytes.length) {
      long at = linear + done;
      int part = part(at, bytes.length - done);
      try {
        memory.write(require("write", at, part), bytes, done, part);
      } catch (GuestMemoryException e) {
        // What came before it could be written, so it can be written back.
        write(linear, Arrays.copyOf(before, done));
        throw new LinearAddressException("write", at);
      }
      done += part;
    }
  }

  private long require(String access, long linear, int length) {
    OptionalLong physical = physical(linear);
    if (physical.isEmpty() || !memory.contains(physical.getAsLong(), length)) {
      throw new LinearAddressException(access, linear);
    }
    return physical.getAsLong();
  }

  private static int part(long linear, int left) {
    return (int) Math.min(left, PAGE_BYTES - (linear & PAGE_BYTES - 1));
  }
}
