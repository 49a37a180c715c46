package io.vmm4j.engine.software.machinecode;

import io.vmm4j.engine.software.cpu.Block;
import io.vmm4j.engine.software.cpu.TranslatedBlock;
import io.vmm4j.engine.software.machinecode.verify.CodePiece;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The machine code of a block, and its links. Offsets into code memory are {@code int}. */
final class Translation implements TranslatedBlock {
  /** A jump that leads to a translation and could lead to its own exit instead. */
  private record Link(int jump, int exit) {}

  final Block block;
  final int mode;
  final int number;

  /** Where it begins. */
  final int entry;

  /** Where it goes on after each instruction, from its beginning; 0 if it does not. */
  final int[] resume;

  /** Where its first instruction begins, from its beginning. */
  int begin;

  /** Where a void block leads, from its beginning. */
  int dead;

  /** How many bytes of code there are. */
  int bytes;

  /** Whether it may be executed. */
  volatile boolean valid = true;

  private int takenJump;
  private int takenExit;
  private int nextJump;
  private int nextExit;
  private final List<Link> incoming = new ArrayList<>(2);
  private @Nullable CodeMemory memory;
  private @Nullable CodePages pages;
  private boolean shared;

  Translation(Block block, int mode, int number, int entry, int[] resume) {
    this.block = block;
    this.mode = mode;
    this.number = number;
    this.entry = entry;
    this.resume = resume;
  }

  /** Where an instruction begins, from its beginning. */
  int retry(int instruction) {
    return instruction == 0 ? begin : resume[instruction - 1];
  }

  /** Takes the place of an exit while code is being made. */
  void exit(int word, int jump, int at) {
    switch (Exit.reason(word)) {
      case Exit.TAKEN -> {
        takenJump = entry + jump;
        takenExit = entry + at;
      }
      case Exit.NEXT -> {
        nextJump = entry + jump;
        nextExit = entry + at;
      }
      default -> {}
    }
  }

  /** Where one of its direct jumps leads, from the beginning of its page. */
  int target(boolean taken) {
    int next = ((int) block.offset & 0xFFF) + block.length;
    return taken ? next + (int) block.instructions[block.count - 1].imm : next;
  }

  /** Whether it has such a jump. */
  boolean canLink(boolean taken) {
    return (taken ? takenJump : nextJump) != 0;
  }

  /** What there is to verify. */
  CodePiece piece(byte[] bytes) {
    return new CodePiece(
        bytes,
        entry,
        mode,
        number,
        block.offset,
        block.count,
        resume,
        begin,
        dead,
        new CodePiece.Link(takenJump, takenExit),
        new CodePiece.Link(nextJump, nextExit));
  }

  /**
   * It lies in code memory and is found from now on.
   *
   * @param byOthers whether other threads may execute it at any time
   */
  void placed(CodeMemory in, CodePages by, boolean byOthers) {
    memory = in;
    pages = by;
    shared = byOthers;
    VarHandle.releaseFence(); // the code is there before it is found
    by.set(mode, block.offset, entry);
  }

  /** Has one of its jumps lead to a translation from now on. */
  void link(boolean taken, Translation target) {
    int jump = taken ? takenJump : nextJump;
    int exit = taken ? takenExit : nextExit;
    target.incoming.add(new Link(jump, exit));
    VarHandle.releaseFence();
    code().patchJump(jump, target.entry);
  }

  @Override
  public void invalidate() {
    if (!valid) {
      return;
    }
    valid = false;
    for (Link link : incoming) {
      code().patchJump(link.jump(), link.exit());
    }
    incoming.clear();
    if (!shared) { // whoever executes its first instruction must find it whole
      code().putJump(entry, entry + dead);
    }
    if (pages != null) {
      pages.invalidated(mode, block.offset, entry);
    }
  }

  private CodeMemory code() {
    CodeMemory m = memory;
    if (m == null) {
      throw new IllegalStateException("not in code memory yet");
    }
    return m;
  }
}
