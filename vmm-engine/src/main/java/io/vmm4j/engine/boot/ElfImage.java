package io.vmm4j.engine.boot;

import io.vmm4j.api.BootException;
import io.vmm4j.engine.memory.RamLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * An ELF executable for x86, of 32 or 64 bits (System V ABI, Tool Interface Standard ELF 1.2): what
 * a boot loader reads of it.
 */
final class ElfImage {
  private static final int PT_LOAD = 1;
  private static final int PT_NOTE = 4;
  private static final int EXECUTABLE = 1;
  private static final int MAX_NOTE_BYTES = 1 << 20;

  /** A program header. */
  record Segment(
      int type,
      int flags,
      long offset,
      long virtualAddress,
      long physicalAddress,
      long fileBytes,
      long memoryBytes) {}

  private final ImageBytes image;
  private final long entry;
  private final List<Segment> segments;

  private ElfImage(ImageBytes image, long entry, List<Segment> segments) {
    this.image = image;
    this.entry = entry;
    this.segments = segments;
  }

  /** Whether the image begins as an ELF file does. */
  static boolean isElf(ImageBytes image) {
    byte[] head = image.head(4);
    return head.length == 4
        && head[0] == 0x7F
        && head[1] == 'E'
        && head[2] == 'L'
        && head[3] == 'F';
  }

  /**
   * Reads the header and the program headers.
   *
   * @throws io.vmm4j.api.BootException if it is not an ELF executable for x86, or not whole
   */
  static ElfImage parse(ImageBytes image) {
    if (!isElf(image)) {
      throw image.fault("expected an ELF image, found %s", ImageKind.describe(image));
    }
    ByteBuffer header = image.fields("the ELF header", 0, 52);
    int elfClass = header.get(4);
    if (elfClass != 1 && elfClass != 2) {
      throw image.fault("e_ident[EI_CLASS] is %d; expected 1 (32 bits) or 2 (64 bits)", elfClass);
    }
    if (header.get(5) != 1) {
      throw image.fault("e_ident[EI_DATA] is %d; expected 1 (little-endian)", header.get(5));
    }
    boolean wide = elfClass == 2;
    if (wide) {
      header = image.fields("the ELF header", 0, 64);
    }
    int machine = header.getShort(18) & 0xFFFF;
    if (machine != 3 && machine != 62) {
      throw image.fault(
          "e_machine is %d (%s); expected 3 (i386) or 62 (x86-64)",
          machine, ImageKind.machine(machine));
    }
    int type = header.getShort(16) & 0xFFFF;
    if (type != 2 && type != 3) {
      throw image.fault("e_type is %d; expected 2 (executable) or 3 (shared object)", type);
    }
    long entry = wide ? header.getLong(24) : Integer.toUnsignedLong(header.getInt(24));
    long tableOffset = wide ? header.getLong(32) : Integer.toUnsignedLong(header.getInt(28));
    int entryBytes = header.getShort(wide ? 54 : 42) & 0xFFFF;
    int count = header.getShort(wide ? 56 : 44) & 0xFFFF;
    int expected = wide ? 56 : 32;
    if (count == 0) {
      throw image.fault("e_phnum is 0: there is nothing to load");
    }
    if (entryBytes != expected) {
      throw image.fault("e_phentsize is %d; expected %d", entryBytes, expected);
    }
    ByteBuffer table = image.fields("e_phoff", tableOffset, (long) count * entryBytes);
    List<Segment> segments = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      segments.add(segment(table, i * entryBytes, wide));
    }
    return new ElfImage(image, entry, segments);
  }

  private static Segment segment(ByteBuffer table, int at, boolean wide) {
    if (wide) {
      return new Segment(
          table.getInt(at),
          table.getInt(at + 4),
          table.getLong(at + 8),
          table.getLong(at + 16),
          table.getLong(at + 24),
          table.getLong(at + 32),
          table.getLong(at + 40));
    }
    return new Segment(
        table.getInt(at),
        table.getInt(at + 24),
        Integer.toUnsignedLong(table.getInt(at + 4)),
        Integer.toUnsignedLong(table.getInt(at + 8)),
        Integer.toUnsignedLong(table.getInt(at + 12)),
        Integer.toUnsignedLong(table.getInt(at + 16)),
        Integer.toUnsignedLong(table.getInt(at + 20)));
  }

  /** The entry point as the header has it. */
  long entry() {
    return entry;
  }

  /**
   * The entry point as a physical address: where the header's lies in an executable segment that is
   * linked at one address and loaded at another, it is moved along.
   */
  long physicalEntry() {
    for (Segment segment : segments) {
      boolean holds =
          segment.type == PT_LOAD
              && (segment.flags & EXECUTABLE) != 0
              && entry - segment.virtualAddress >= 0
              && entry - segment.virtualAddress < segment.fileBytes;
      if (holds) {
        return entry - segment.virtualAddress + segment.physicalAddress;
      }
    }
    return entry;
  }

  /**
   * Copies the loadable segments to their physical addresses and clears the rest of each.
   *
   * @return the highest physical address that was written, exclusive
   * @throws io.vmm4j.api.BootException if a segment is not whole or its place is not free RAM
   */
  long load(BootTarget target) {
    long end = 0;
    boolean loaded = false;
    for (int i = 0; i < segments.size(); i++) {
      Segment segment = segments.get(i);
      if (segment.type != PT_LOAD || segment.memoryBytes == 0) {
        continue;
      }
      String what = "program header " + i;
      if (Long.compareUnsigned(segment.fileBytes, segment.memoryBytes) > 0) {
        throw image.fault(
            "%s: p_filesz 0x%x is more than p_memsz 0x%x",
            what, segment.fileBytes, segment.memoryBytes);
      }
      require(target, segment, what);
      target.load(image, what, segment.offset, segment.physicalAddress, segment.fileBytes);
      target.clear(
          segment.physicalAddress + segment.fileBytes, segment.memoryBytes - segment.fileBytes);
      end = Math.max(end, segment.physicalAddress + segment.memoryBytes);
      loaded = true;
    }
    if (!loaded) {
      throw image.fault("no program header is of type PT_LOAD: there is nothing to load");
    }
    return end;
  }

  /** Linkers put the file's own headers before the code, a page below its address. */
  private void require(BootTarget target, Segment segment, String what) {
    try {
      target.requireRam(image, what, segment.physicalAddress, segment.memoryBytes);
      target.requireFree(image, what, segment.physicalAddress, segment.memoryBytes);
    } catch (BootException e) {
      if (segment.offset != 0 || segment.physicalAddress >= RamLayout.EXTENDED) {
        throw e;
      }
      throw new BootException(
          e.getMessage()
              + "; it is there for the ELF file's own headers, which a kernel has no use for: link it"
              + " with -Wl,-n (ld -n)",
          e);
    }
  }

  /**
   * Finds a note.
   *
   * @return its first 4 or 8 bytes as an unsigned number
   * @throws io.vmm4j.api.BootException if the notes are not whole
   */
  OptionalLong note(String owner, int type) {
    for (Segment segment : segments) {
      if (segment.type != PT_NOTE) {
        continue;
      }
      if (segment.fileBytes < 0 || segment.fileBytes > MAX_NOTE_BYTES) {
        throw image.fault(
            "the notes (PT_NOTE) have 0x%x bytes; at most 0x%x are taken",
            segment.fileBytes, MAX_NOTE_BYTES);
      }
      ByteBuffer notes = image.fields("the notes (PT_NOTE)", segment.offset, segment.fileBytes);
      OptionalLong found = find(notes, owner, type);
      if (found.isPresent()) {
        return found;
      }
    }
    return OptionalLong.empty();
  }

  private OptionalLong find(ByteBuffer notes, String owner, int type) {
    long at = 0;
    while (at + 12 <= notes.limit()) {
      long nameBytes = Integer.toUnsignedLong(notes.getInt((int) at));
      long valueBytes = Integer.toUnsignedLong(notes.getInt((int) at + 4));
      long name = at + 12;
      long value = name + align4(nameBytes);
      long next = value + align4(valueBytes);
      if (value + valueBytes > notes.limit()) {
        throw image.fault(
            "a note (PT_NOTE) at 0x%x with n_namesz 0x%x and n_descsz 0x%x goes beyond its segment",
            at, nameBytes, valueBytes);
      }
      boolean matches =
          notes.getInt((int) at + 8) == type
              && nameBytes == owner.length() + 1
              && hasName(notes, (int) name, owner);
      if (matches && valueBytes >= 8) {
        return OptionalLong.of(notes.getLong((int) value));
      }
      if (matches && valueBytes >= 4) {
        return OptionalLong.of(Integer.toUnsignedLong(notes.getInt((int) value)));
      }
      at = next;
    }
    return OptionalLong.empty();
  }

  private static boolean hasName(ByteBuffer notes, int at, String owner) {
    for (int i = 0; i < owner.length(); i++) {
      if (notes.get(at + i) != owner.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  private static long align4(long length) {
    return (length + 3) & ~3L;
  }
}
