package io.vmm4j.software.machinecode.verify;

import io.vmm4j.software.machinecode.verify.CodePiece.Link;
import io.vmm4j.software.machinecode.verify.HostForm.Operation;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * A piece of code as a list of instructions, to plant mistakes in: instructions go, come or change,
 * and all jumps still lead where they led.
 */
final class Edit {
  private static final int DISPLACEMENT = 4;

  /** An instruction: what it was, and its bytes now. */
  private record Item(HostInstruction was, int offset, int length, byte[] bytes) {}

  private final CodePiece piece;
  private final List<Item> items = new ArrayList<>();

  Edit(CodePiece piece) {
    this.piece = piece;
    HostDecoder decoder = new HostDecoder(HostForms.OF_BLOCKS);
    decoder.begin(piece.code());
    int at = 0;
    while (at < piece.code().length) {
      HostInstruction in = new HostInstruction();
      String wrong = decoder.decode(at, in);
      if (wrong != null) {
        throw new IllegalArgumentException(wrong);
      }
      byte[] bytes = Arrays.copyOfRange(piece.code(), at, at + in.length);
      items.add(new Item(in, at, in.length, bytes));
      at += in.length;
    }
  }

  private static boolean jumps(Item item) {
    Operation operation = item.was().form.operation();
    return (operation == Operation.JMP || operation == Operation.JCC)
        && item.was().form.immediate() != null
        && item.bytes().length == item.was().length;
  }

  /** How many instructions there are. */
  int size() {
    return items.size();
  }

  /** Whether an entry of a table is used. */
  boolean usesTables() {
    return items.stream()
        .anyMatch(i -> i.was().isAt(Convention.BASE, Convention.INDEX) && i.was().width() == 8);
  }

  /** The mode that the code is for. */
  int mode() {
    return piece.mode();
  }

  /** An instruction as it was. */
  HostInstruction at(int index) {
    return items.get(index).was();
  }

  /** Other bytes in the place of an instruction. */
  Edit replace(int index, String hex) {
    Item old = items.get(index);
    items.set(index, new Item(old.was(), old.offset(), old.length(), HexFormat.of().parseHex(hex)));
    return this;
  }

  /** Adds to a number of 32 bits that lies so many bytes before an instruction's end. */
  Edit add(int index, int beforeEnd, int value) {
    Item old = items.get(index);
    byte[] bytes = old.bytes().clone();
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int at = bytes.length - beforeEnd;
    buffer.putInt(at, buffer.getInt(at) + value);
    items.set(index, new Item(old.was(), old.offset(), old.length(), bytes));
    return this;
  }

  /** Another byte so many bytes behind an instruction's beginning. */
  Edit put(int index, int offset, int value) {
    Item old = items.get(index);
    byte[] bytes = old.bytes().clone();
    bytes[offset] = (byte) value;
    items.set(index, new Item(old.was(), old.offset(), old.length(), bytes));
    return this;
  }

  Edit remove(int index) {
    return replace(index, "");
  }

  /** An instruction behind one. */
  Edit insertBehind(int index, String hex) {
    Item old = items.get(index);
    int at = old.offset() + old.length();
    items.add(index + 1, new Item(new HostInstruction(), at, 0, HexFormat.of().parseHex(hex)));
    return this;
  }

  /** The code with one jump that leads elsewhere, and nothing else changed. */
  CodePiece jump(int index, int target) {
    HostInstruction in = at(index);
    int end = in.offset + in.length;
    byte[] code = piece.code().clone();
    ByteBuffer.wrap(code).order(ByteOrder.LITTLE_ENDIAN).putInt(end - DISPLACEMENT, target - end);
    return new CodePiece(
        code,
        piece.at(),
        piece.mode(),
        piece.number(),
        piece.guestOffset(),
        piece.instructions(),
        piece.resume(),
        piece.begin(),
        piece.dead(),
        piece.taken(),
        piece.next());
  }

  /** The code with all jumps where they led. */
  CodePiece done() {
    int[] moved = new int[piece.code().length + 1];
    int at = 0;
    for (Item item : items) {
      // What is inserted at a place comes before what jumps to it.
      for (int i = 0; i < item.length(); i++) {
        moved[item.offset() + i] = at;
      }
      at += item.bytes().length;
    }
    moved[piece.code().length] = at;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (Item item : items) {
      byte[] bytes = item.bytes().clone();
      if (jumps(item)) {
        long old = item.offset() + item.length() + item.was().immediate;
        boolean inside = old >= 0 && old < piece.code().length;
        long target = inside ? moved[(int) old] : old;
        ByteBuffer.wrap(bytes)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(bytes.length - DISPLACEMENT, (int) (target - out.size() - bytes.length));
      }
      out.writeBytes(bytes);
    }
    int[] resume = piece.resume().clone();
    for (int i = 0; i < resume.length; i++) {
      resume[i] = resume[i] == 0 ? 0 : moved[resume[i]];
    }
    return new CodePiece(
        out.toByteArray(),
        piece.at(),
        piece.mode(),
        piece.number(),
        piece.guestOffset(),
        piece.instructions(),
        resume,
        moved[piece.begin()],
        moved[piece.dead()],
        moved(piece.taken(), moved),
        moved(piece.next(), moved));
  }

  /** The displacement is at the end of the jump. */
  private Link moved(Link link, int[] moved) {
    if (link.jump() == 0) {
      return link;
    }
    int end = link.jump() + DISPLACEMENT - piece.at();
    Item jump =
        items.stream()
            .filter(i -> i.offset() + i.length() == end && i.length() > 0)
            .findFirst()
            .orElseThrow();
    int newEnd = moved[jump.offset()] + jump.bytes().length;
    return new Link(
        piece.at() + newEnd - DISPLACEMENT, piece.at() + moved[link.exit() - piece.at()]);
  }
}
