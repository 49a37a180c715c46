package io.vmm4j.software.machinecode;

import io.vmm4j.software.cpu.PortableCode;

/**
 * The machine code of a block as it would lie at offset 0 of code memory, and what depends on where
 * it lies: the jumps to stubs, and the number of the translation in what exits say.
 *
 * @param code the bytes
 * @param outside the positions of the displacements of jumps to stubs
 * @param words the positions of what exits say: see {@link Exit}
 * @param resume where it goes on after each instruction; 0 if it does not
 * @param begin where the first instruction begins
 * @param dead where a void block leads
 * @param taken the jump that is taken, and its exit
 * @param next the jump behind it, and its exit
 */
record CodeTemplate(
    byte[] code,
    int[] outside,
    int[] words,
    int[] resume,
    int begin,
    int dead,
    Jump taken,
    Jump next)
    implements PortableCode {
  private static final int OBJECTS_BYTES = 250;

  /**
   * A jump that can be linked.
   *
   * @param at the position of its displacement, 0 if there is none
   * @param exit where it leads when it is not linked
   */
  record Jump(int at, int exit) {
    static final Jump NONE = new Jump(0, 0);
  }

  /** The bytes at an offset of code memory, of a translation. */
  byte[] at(int offset, int number) {
    byte[] placed = code.clone();
    for (int position : outside) {
      put(placed, position, get(placed, position) - offset);
    }
    for (int position : words) {
      put(placed, position, Exit.withTranslation(get(placed, position), number));
    }
    return placed;
  }

  private static int get(byte[] bytes, int at) {
    return bytes[at] & 0xFF
        | (bytes[at + 1] & 0xFF) << 8
        | (bytes[at + 2] & 0xFF) << 16
        | bytes[at + 3] << 24;
  }

  private static void put(byte[] bytes, int at, int value) {
    bytes[at] = (byte) value;
    bytes[at + 1] = (byte) (value >> 8);
    bytes[at + 2] = (byte) (value >> 16);
    bytes[at + 3] = (byte) (value >> 24);
  }

  @Override
  public long heapBytes() {
    return OBJECTS_BYTES
        + code.length
        + (long) Integer.BYTES * (outside.length + words.length + resume.length);
  }
}
