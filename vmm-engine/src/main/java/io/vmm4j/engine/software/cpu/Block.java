package io.vmm4j.engine.software.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A decoded basic block: instructions that follow one another within a page, the last of which may
 * jump. Found by the place of its first byte in the machine's memory and the code size.
 */
public final class Block {
  /** The offset of its first byte in the machine's segment, or -1 if it is not in memory. */
  public final long offset;

  /** The code size in bytes it was decoded for. */
  public final int codeSize;

  public final Instruction[] instructions;

  /** What the interpreter makes of each of them: see {@link Op}. */
  final int[] codes;

  /** How many instructions. */
  public final int count;

  /** Its length in bytes. */
  public final int length;

  /** Whether its last instruction goes on into the next page. */
  public final boolean crossesPage;

  /** Whether its last instruction never jumps. */
  public final boolean fallsThrough;

  /** Whether its last instruction may change what the run loop has to look at. */
  public final boolean endsInSystem;

  /** The guest physical page of that part. */
  public final long secondPage;

  /** False once its bytes have been written to. */
  private boolean valid = true;

  private int executions;
  private final boolean vectors;
  private volatile List<TranslatedBlock> translations = List.of();

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
    this.vectors = false;
  }

  /** Whether it may be run: its bytes have not been written to. */
  public boolean isValid() {
    return valid;
  }

  /** Its bytes have been written to: neither it nor what was made of it is run again. */
  void invalidate() {
    valid = false;
    translations.forEach(TranslatedBlock::invalidate);
    forgetTranslations();
  }

  /** What was made of it, for one mode or more. */
  public List<TranslatedBlock> translations() {
    return translations;
  }

  /** Keeps what was made of it. */
  public void addTranslation(TranslatedBlock translation) {
    List<TranslatedBlock> longer = new ArrayList<>(translations);
    longer.add(translation);
    translations = longer;
  }

  /** Forgets what was made of it. */
  public void forgetTranslations() {
    translations = List.of();
  }

  /** Counts an execution; gives the number of executions so far. */
  public int countExecution() {
    return ++executions;
  }

  /** Whether it is not kept: its bytes are not in memory, or it stands for another. */
  public boolean isTransient() {
    return offset < 0;
  }

  /** Whether an instruction of it reads or writes XMM registers or MXCSR. */
  public boolean usesVectors() {
    return vectors;
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
    this.vectors = Arrays.stream(instructions).anyMatch(Instruction::usesVectors);
    this.endsInSystem = last.form.executor.isSystem;
    this.fallsThrough = !last.form.endsBlock;
  }
}
