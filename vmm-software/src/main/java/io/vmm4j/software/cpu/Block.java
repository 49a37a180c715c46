package io.vmm4j.software.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

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

  /** What it was decoded from; empty if it does not lie in one page of memory. */
  final byte[] bytes;

  /** The guest physical page of that part. */
  public final long secondPage;

  /** False once its bytes have been written to. */
  private boolean valid = true;

  private int executions;
  private final boolean vectors;
  private volatile List<TranslatedBlock> translations = List.of();
  private @Nullable KnownBlock known;

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
    this.bytes = new byte[0];
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

  /** What some machine has made of a block like this, for a mode; null if nothing is known. */
  public @Nullable PortableCode knownCode(int mode) {
    return known == null ? null : known.code(mode);
  }

  /** Has code made of it for a mode known to the machines that share what they know. */
  public void makeKnown(KnownBlocks blocks, int mode, PortableCode code) {
    if (bytes.length != 0) {
      if (known == null) {
        known = blocks.add(this);
      }
      blocks.addCode(known, mode, code);
    }
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

  /** One that goes on into another page, or does not lie in memory. */
  Block(
      long offset,
      int codeSize,
      Instruction[] instructions,
      int length,
      boolean crossesPage,
      long secondPage) {
    this(
        offset,
        codeSize,
        instructions,
        Specializer.codes(instructions),
        new byte[0],
        length,
        crossesPage,
        secondPage);
  }

  /** One that lies in one page of memory, of the bytes that its instructions were decoded from. */
  Block(long offset, int codeSize, Instruction[] instructions, byte[] bytes) {
    this(
        offset,
        codeSize,
        instructions,
        Specializer.codes(instructions),
        bytes,
        bytes.length,
        false,
        0);
  }

  /** One that is known, at an offset into the machine's memory where its bytes lie. */
  Block(long offset, int codeSize, KnownBlock known) {
    this(
        offset,
        codeSize,
        known.instructions,
        known.codes,
        known.bytes,
        known.bytes.length,
        false,
        0);
    this.known = known;
  }

  private Block(
      long offset,
      int codeSize,
      Instruction[] instructions,
      int[] codes,
      byte[] bytes,
      int length,
      boolean crossesPage,
      long secondPage) {
    this.offset = offset;
    this.codeSize = codeSize;
    this.instructions = instructions;
    this.codes = codes;
    this.bytes = bytes;
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
