package io.vmm4j.software.machinecode.verify;

/**
 * The code of a block, as it lies in code memory.
 *
 * @param code its bytes
 * @param at its offset in code memory
 * @param mode what it was made for
 * @param number the number of its translation, which its exits have to say
 * @param guestOffset where the guest's code lies in the machine's memory, for messages
 * @param instructions how many instructions the guest's block has
 * @param resume where it goes on after each of them, from its beginning; 0 if it does not
 * @param begin where its first instruction begins, from its beginning
 * @param dead where it goes once it is void, from its beginning
 * @param taken the jump of its direct branch
 * @param next the jump to the place behind it
 */
public record CodePiece(
    byte[] code,
    int at,
    int mode,
    int number,
    long guestOffset,
    int instructions,
    int[] resume,
    int begin,
    int dead,
    Link taken,
    Link next) {

  /**
   * A jump that can be linked to another translation.
   *
   * @param jump where its displacement of 32 bits lies in code memory; 0 if there is no such jump
   * @param exit where it leads as long as it is not linked, in code memory
   */
  public record Link(int jump, int exit) {
    /** No such jump. */
    public static final Link NONE = new Link(0, 0);
  }

  /** A stub that looks for targets, which is of no block. */
  static CodePiece stub(byte[] code, int at, int mode) {
    return new CodePiece(code, at, mode, 0, 0, 0, new int[0], 0, 0, Link.NONE, Link.NONE);
  }

  boolean isStub() {
    return instructions == 0;
  }

  @Override
  public String toString() {
    return isStub()
        ? "lookup stub of mode %d".formatted(mode)
        : "translation %d of mode %d, guest offset 0x%x, code offset 0x%x"
            .formatted(number, mode, guestOffset, at);
  }
}
