package io.vmm4j.software.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A decoded block without a place in memory, and what was made of it. From any thread. */
final class KnownBlock {
  /** About what an instruction takes, and the rest of a block. */
  private static final int INSTRUCTION_BYTES = 120;

  private static final int BLOCK_BYTES = 300;

  final Instruction[] instructions;

  /** What they were decoded from. */
  final byte[] bytes;

  /** What the interpreter makes of them. */
  final int[] codes;

  private final int inPage;
  private final int codeSize;
  private final MemorySegment segment;

  /** What was made of it, by mode; replaced as a whole. */
  private volatile Made made = new Made(new int[0], new PortableCode[0]);

  private record Made(int[] modes, PortableCode[] codes) {}

  KnownBlock(Block block) {
    this.instructions = block.instructions;
    this.codes = block.codes;
    this.bytes = block.bytes;
    this.inPage = (int) block.offset & 0xFFF;
    this.codeSize = block.codeSize;
    this.segment = MemorySegment.ofArray(bytes);
  }

  /** Whether its bytes lie at an offset into a machine's memory. */
  boolean isAt(MemorySegment memory, long offset, int size) {
    long length = bytes.length;
    return (offset & 0xFFF) == inPage
        && codeSize == size
        && MemorySegment.mismatch(segment, 0, length, memory, offset, offset + length) < 0;
  }

  boolean isLike(KnownBlock other) {
    return inPage == other.inPage
        && codeSize == other.codeSize
        && Arrays.equals(bytes, other.bytes);
  }

  /** What was made of it for a mode; null if nothing was. */
  @Nullable PortableCode code(int mode) {
    Made now = made;
    for (int i = 0; i < now.modes.length; i++) {
      if (now.modes[i] == mode) {
        return now.codes[i];
      }
    }
    return null;
  }

  /** Keeps what was made of it for a mode; false if something is kept already. */
  synchronized boolean addCode(int mode, PortableCode code) {
    if (code(mode) != null) {
      return false;
    }
    int count = made.modes.length;
    int[] modes = Arrays.copyOf(made.modes, count + 1);
    PortableCode[] codes = Arrays.copyOf(made.codes, count + 1);
    modes[count] = mode;
    codes[count] = code;
    made = new Made(modes, codes);
    return true;
  }

  long heapBytes() {
    return BLOCK_BYTES + bytes.length + (long) instructions.length * INSTRUCTION_BYTES;
  }
}
