package io.vmm4j.software.machinecode;

import io.vmm4j.software.cpu.Block;
import io.vmm4j.software.cpu.TranslatedBlock;
import io.vmm4j.software.machinecode.verify.CodePiece;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

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

  /** How many bytes of code there are. */
  final int bytes;

  /** Whether it may be executed. */
  volatile boolean valid = true;

  private final CodeMemory memory;
  private final CodePages pages;
  private final CodeTemplate template;
  private final List<Link> incoming = new ArrayList<>(2);
  private final boolean shared;

  /**
   * Puts code of a block into code memory, which must have room; it is not found yet.
   *
   * @param shared whether other threads may execute it at any time
   */
  Translation(
      Block block,
      int mode,
      int number,
      CodeTemplate template,
      CodeMemory memory,
      CodePages pages,
      boolean shared) {
    this.block = block;
    this.mode = mode;
    this.number = number;
    this.template = template;
    this.memory = memory;
    this.pages = pages;
    this.shared = shared;
    this.resume = template.resume();
    this.bytes = template.code().length;
    this.entry = memory.add(template.at(memory.next(), number));
  }

  /** Where an instruction begins, from its beginning. */
  int retry(int instruction) {
    return instruction == 0 ? template.begin() : resume[instruction - 1];
  }

  /** Where one of its direct jumps leads, from the beginning of its page. */
  int target(boolean taken) {
    int next = ((int) block.offset & 0xFFF) + block.length;
    return taken ? next + (int) block.instructions[block.count - 1].imm : next;
  }

  /** Whether it has such a jump. */
  boolean canLink(boolean taken) {
    return jump(taken).at() != 0;
  }

  private CodeTemplate.Jump jump(boolean taken) {
    return taken ? template.taken() : template.next();
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
        template.begin(),
        template.dead(),
        link(true),
        link(false));
  }

  private CodePiece.Link link(boolean taken) {
    CodeTemplate.Jump jump = jump(taken);
    return jump.at() == 0
        ? new CodePiece.Link(0, 0)
        : new CodePiece.Link(entry + jump.at(), entry + jump.exit());
  }

  /** It is found from now on. */
  void published() {
    VarHandle.releaseFence(); // the code is there before it is found
    pages.set(mode, block.offset, entry);
  }

  /** Has one of its jumps lead to a translation from now on. */
  void link(boolean taken, Translation target) {
    CodePiece.Link link = link(taken);
    target.incoming.add(new Link(link.jump(), link.exit()));
    VarHandle.releaseFence();
    memory.patchJump(link.jump(), target.entry);
  }

  @Override
  public void invalidate() {
    if (!valid) {
      return;
    }
    valid = false;
    for (Link link : incoming) {
      memory.patchJump(link.jump(), link.exit());
    }
    incoming.clear();
    if (!shared) { // whoever executes its first instruction must find it whole
      memory.putJump(entry, entry + template.dead());
    }
    pages.invalidated(mode, block.offset, entry);
  }
}
