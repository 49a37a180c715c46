package io.vmm4j.engine.software.cpu;

/**
 * A decoded basic block: instructions that follow one another within a page, the last of which may
 * jump. Found by the place of its first byte in the machine's memory and the code size.
 */
final class Block {
  /** The offset of its first byte in the machine's segment, or -1 if it is not in memory. */
  final long offset;

  /** The code size in bytes it was decoded for. */
  final int codeSize;

  final Instruction[] instructions;

  /** What the interpreter makes of each of them: see {@link Op}. */
  final int[] codes;

  /** How many instructions. */
  final int count;

  /** Its length in bytes. */
  final int length;

  /** Whether its last instruction goes on into the next page. */
  final boolean crossesPage;

  /** Whether its last instruction never jumps. */
  final boolean fallsThrough;

  /** Whether its last instruction may change what the run loop has to look at. */
  final boolean endsInSystem;

  /** The guest physical page of that part. */
  final long secondPage;

  /** False once its bytes have been written to. */
  boolean valid = true;

  /** The block that follows when the last instruction's direct jump is taken, in the same page. */
  Block taken;

  /** The block that follows otherwise, in the same page. */
  Block next;

  /** In the stead of a block that must not be run yet: executes nothing, is kept nowhere. */
  static final Block NOTHING = new Block();

  private Block() {
    this.offset = -1;
    this.codeSize = 0;
    this.instructions = new Instruction[0];
    this.codes = new int[0];
    this.count = 0;
    this.length = 0;
    this.crossesPage = false;
    this.secondPage = 0;
    this.endsInSystem = true;
    this.fallsThrough = true;
  }

  Block(
      long offset,
      int codeSize,
      Instruction[] instructions,
      int length,
      boolean crossesPage,
      long secondPage) {
    this.offset = offset;
    this.codeSize = codeSize;
    this.instructions = instructions;
    this.codes = Specializer.codes(instructions);
    this.count = instructions.length;
    this.length = length;
    this.crossesPage = crossesPage;
    this.secondPage = secondPage;
    Instruction last = instructions[instructions.length - 1];
    this.endsInSystem = last.form.executor.isSystem;
    this.fallsThrough = !last.form.endsBlock;
  }
}
