package io.vmm4j.software.differential;

import io.vmm4j.software.cpu.UndefinedFlags;

/** Instructions on general registers, flags and strings. */
final class IntegerCode extends Emitter {
  private static final int[] SIZES = {1, 1, 2, 4, 4, 4, 8, 8, 8};
  private static final int MUL = 4;
  private static final int DIV = 6;
  private static final int LOCK = 0xF0;

  IntegerCode(Assembler code, Draw draw) {
    super(code, draw);
  }

  private static boolean isLogic(int operation) {
    return operation == 1 || operation == 4 || operation == 6;
  }

  private int size() {
    return draw.pick(SIZES);
  }

  private int wideSize() {
    return draw.pick(2, 4, 4, 8, 8);
  }

  private int register(int size) {
    return size == 1 ? draw.byteRegister() : draw.destination();
  }

  private int sourceRegister(int size) {
    return size == 1 ? draw.byteRegister() : draw.source();
  }

  /** Prefixes for an instruction that may be locked, if the operand is memory in one line. */
  private boolean locks() {
    return draw.oneIn(10);
  }

  private Operand lockable(int size) {
    return draw.at(Layout.DATA + (draw.below(Layout.PAGE) & -size));
  }

  private void readModifyWrite(
      int size, int opcode, int reg, int immediateBytes, long immediate, int undefined) {
    if (locks()) {
      generalUndefined(
          size, opcode, reg, lockable(size), immediateBytes, immediate, undefined, LOCK);
    } else {
      Operand target = draw.target(size);
      generalUndefined(size, opcode, reg, target, immediateBytes, immediate, undefined);
    }
  }

  /** One instruction, or a few that belong together. */
  void emit() {
    switch (draw.below(40)) {
      case 0, 1, 2 -> arithmetic();
      case 3, 4 -> arithmeticImmediate();
      case 5 -> accumulatorImmediate();
      case 6, 7 -> move();
      case 8 -> moveImmediate();
      case 9 -> extend();
      case 10, 11 -> shift();
      case 12 -> doubleShift();
      case 13 -> unary();
      case 14 -> multiplyAndDivide();
      case 15 -> multiplySigned();
      case 16 -> bitTest();
      case 17 -> bitScan();
      case 18, 19 -> push();
      case 20 -> pop();
      case 21 -> flagsAndAccumulator();
      case 22 -> exchange();
      case 23 -> compareExchange();
      case 24 -> conditional();
      case 25, 26, 27 -> string();
      case 28 -> addressOf();
      case 29 -> offsetMove();
      case 30 -> crcAndCount();
      case 31 -> nothing();
      case 32 -> segments();
      case 33 -> test();
      case 34 -> frame();
      case 35 -> swap();
      case 36 -> flagsImage();
      case 37 -> divideEdge();
      default -> arithmetic();
    }
  }

  private void arithmetic() {
    int size = size();
    int operation = draw.below(8);
    int undefined = isLogic(operation) ? Freedom.FLAGS_OF_LOGIC.flags() : 0;
    boolean load = draw.oneIn(2);
    int opcode = operation << 3 | (size == 1 ? 0 : 1);
    if (load) {
      generalUndefined(size, opcode | 2, register(size), source(size), 0, 0, undefined);
    } else if (operation == 7) {
      general(size, opcode, sourceRegister(size), source(size));
    } else {
      readModifyWrite(size, opcode, sourceRegister(size), 0, 0, undefined);
    }
  }

  private Operand source(int size) {
    return draw.oneIn(2)
        ? Operand.register(sourceRegister(size))
        : draw.memory(size, draw.oneIn(8) ? 1 : size);
  }

  private void arithmeticImmediate() {
    int size = size();
    int operation = draw.below(8);
    int undefined = isLogic(operation) ? Freedom.FLAGS_OF_LOGIC.flags() : 0;
    boolean small = size == 1 || draw.oneIn(2);
    int opcode = size == 1 ? 0x80 : small ? 0x83 : 0x81;
    int bytes = small ? 1 : Math.min(size, 4);
    if (operation == 7) {
      general(size, opcode, operation, source(size), bytes, draw.value(), null);
    } else {
      readModifyWrite(size, opcode, operation, bytes, draw.value(), undefined);
    }
  }

  private void accumulatorImmediate() {
    int size = size();
    int operation = draw.below(9);
    int opcode = operation == 8 ? 0xA8 : operation << 3 | 4;
    int undefined = operation == 8 || isLogic(operation) ? Freedom.FLAGS_OF_LOGIC.flags() : 0;
    sized(size);
    code.bytes(size == 1 ? opcode : opcode | 1).immediate(Math.min(size, 4), draw.value());
    code.end(Mask.flags(undefined));
    defineFlags(undefined);
  }

  private void sized(int size) {
    if (size == 2) {
      code.bytes(0x66);
    } else if (size == 8) {
      code.bytes(0x48);
    }
  }

  private void move() {
    int size = size();
    int wide = size == 1 ? 0 : 1;
    if (draw.oneIn(2)) {
      general(size, 0x8A | wide, register(size), source(size));
    } else {
      general(size, 0x88 | wide, sourceRegister(size), draw.target(size));
    }
  }

  private void moveImmediate() {
    int size = size();
    if (draw.oneIn(2)) {
      int bytes = Math.min(size, 4);
      general(size, size == 1 ? 0xC6 : 0xC7, 0, draw.target(size), bytes, draw.value(), null);
      return;
    }
    int r = register(size);
    if (size == 2) {
      code.bytes(0x66);
    }
    if (size == 8 || r >= 8) {
      code.bytes(0x40 | (size == 8 ? 8 : 0) | r >> 3);
    }
    code.bytes((size == 1 ? 0xB0 : 0xB8) | r & 7).immediate(size, draw.value()).end();
  }

  private void extend() {
    int size = wideSize();
    if (draw.oneIn(4)) {
      general(Math.max(size, 4), 0x63, draw.destination(), source(4)); // MOVSXD
      return;
    }
    int from = draw.below(2);
    int opcode = draw.pick(0x1B6, 0x1BE) | from;
    Operand operand = draw.memory(1 + from, 1);
    if (draw.oneIn(2)) {
      // A byte register without REX: AH to BH, or none of 4 to 7.
      int r = draw.pick(0, 1, 2, 3, 8, 9, 11, 15);
      operand = Operand.register(r);
    }
    general(size, opcode, draw.destination(), operand);
  }

  private void shift() {
    int size = size();
    int operation = draw.below(8);
    int wide = size == 1 ? 0 : 1;
    Operand target = draw.target(size);
    switch (draw.below(3)) {
      case 0 -> {
        int count = draw.oneIn(4) ? draw.below(256) : draw.below(8 * size + 2);
        int undefined = UndefinedFlags.shift(operation, count, size);
        generalUndefined(size, 0xC0 | wide, operation, target, 1, count, undefined);
      }
      case 1 -> {
        int undefined = UndefinedFlags.shift(operation, 1, size);
        generalUndefined(size, 0xD0 | wide, operation, target, 0, 0, undefined);
      }
      default -> {
        // Any count: what is undefined after some of them.
        int most = UndefinedFlags.shift(operation, 31, size);
        generalUndefined(size, 0xD2 | wide, operation, target, 0, 0, most);
      }
    }
  }

  private void doubleShift() {
    int size = wideSize();
    int opcode = draw.pick(0x1A4, 0x1AC);
    Operand target = draw.target(size);
    if (draw.oneIn(2)) {
      int count = draw.below(size == 2 ? 17 : 64);
      int undefined = UndefinedFlags.doubleShift(count, size);
      generalUndefined(size, opcode, draw.source(), target, 1, count, undefined);
      return;
    }
    if (size == 2) {
      // Counts beyond the operand leave the result undefined: none here.
      code.bytes(0x80, 0xE1, 0x0F).end(Mask.flags(Freedom.FLAGS_OF_LOGIC.flags())); // AND CL, 15
    }
    int undefined =
        UndefinedFlags.doubleShift(size == 2 ? 15 : 31, size) | Freedom.FLAGS_OF_LOGIC.flags();
    generalUndefined(size, opcode | 1, draw.source(), target, 0, 0, undefined);
  }

  private void unary() {
    int size = size();
    int wide = size == 1 ? 0 : 1;
    switch (draw.below(4)) {
      case 0 -> readModifyWrite(size, 0xFE | wide, draw.below(2), 0, 0, 0); // INC, DEC
      case 1 -> readModifyWrite(size, 0xF6 | wide, 2, 0, 0, 0); // NOT
      default -> readModifyWrite(size, 0xF6 | wide, 3, 0, 0, 0); // NEG
    }
  }

  private void multiplyAndDivide() {
    int size = size();
    int operation = MUL + draw.below(4);
    int undefined =
        operation < DIV ? Freedom.FLAGS_OF_MULTIPLY.flags() : Freedom.FLAGS_OF_DIVIDE.flags();
    generalUndefined(size, size == 1 ? 0xF6 : 0xF7, operation, source(size), 0, 0, undefined);
  }

  /** A division whose dividend has been brought near the quotient's limits. */
  private void divideEdge() {
    int size = draw.pick(2, 4, 8);
    int divisor = draw.pick(8, 9, 10, 11);
    boolean signed = draw.oneIn(2);
    if (draw.oneIn(2)) {
      sized(size);
      code.bytes(0x99).end(); // CWD, CDQ, CQO
    } else {
      load(2, draw.oneIn(2) ? 0 : draw.below(4));
    }
    generalUndefined(
        size,
        0xF7,
        DIV + (signed ? 1 : 0),
        Operand.register(divisor),
        0,
        0,
        Freedom.FLAGS_OF_DIVIDE.flags());
  }

  private void multiplySigned() {
    int size = wideSize();
    int r = draw.destination();
    switch (draw.below(3)) {
      case 0 ->
          generalUndefined(size, 0x1AF, r, source(size), 0, 0, Freedom.FLAGS_OF_MULTIPLY.flags());
      case 1 ->
          generalUndefined(
              size, 0x6B, r, source(size), 1, draw.value(), Freedom.FLAGS_OF_MULTIPLY.flags());
      default ->
          generalUndefined(
              size,
              0x69,
              r,
              source(size),
              Math.min(size, 4),
              draw.value(),
              Freedom.FLAGS_OF_MULTIPLY.flags());
    }
  }

  private void bitTest() {
    int size = wideSize();
    int operation = 4 + draw.below(4);
    if (draw.oneIn(2)) {
      int immediate = draw.oneIn(3) ? draw.below(256) : draw.below(8 * size);
      if (operation == 4) {
        generalUndefined(
            size, 0x1BA, operation, source(size), 1, immediate, Freedom.FLAGS_OF_BIT_TEST.flags());
      } else {
        readModifyWrite(size, 0x1BA, operation, 1, immediate, Freedom.FLAGS_OF_BIT_TEST.flags());
      }
      return;
    }
    int opcode = 0x183 | operation << 3;
    if (draw.oneIn(2)) {
      Operand r = Operand.register(draw.destination());
      generalUndefined(size, opcode, draw.source(), r, 0, 0, Freedom.FLAGS_OF_BIT_TEST.flags());
    } else {
      // A bit string in memory: an offset that stays near, or any.
      int bit = draw.oneIn(12) ? draw.source() : Draw.INDEX;
      if (draw.oneIn(2)) {
        bit = draw.pick(8, 9);
        load(bit, draw.below(4096) - 2048 & (size == 2 ? 0xFFFF : 0xFFFF_FFFFL));
      }
      generalUndefined(
          size, opcode, bit, draw.memory(size, size), 0, 0, Freedom.FLAGS_OF_BIT_TEST.flags());
    }
  }

  private void bitScan() {
    int size = wideSize();
    int opcode = draw.pick(0x1BC, 0x1BD);
    generalUndefined(
        size, opcode, draw.destination(), source(size), 0, 0, Freedom.FLAGS_OF_BIT_SCAN.flags());
  }

  private void push() {
    switch (draw.below(5)) {
      case 0 -> code.bytes(0x68).immediate(4, draw.value()).end();
      case 1 -> code.bytes(0x6A).immediate(1, draw.value()).end();
      case 2 -> general(draw.pick(4, 4, 2), 0xFF, 6, draw.memory(8, 8));
      default -> {
        if (draw.oneIn(8)) {
          code.bytes(0x66);
        }
        int r = draw.source();
        if (r >= 8) {
          code.bytes(0x41);
        }
        code.bytes(0x50 | r & 7).end();
      }
    }
  }

  private void pop() {
    if (draw.oneIn(3)) {
      general(draw.pick(4, 4, 2), 0x8F, 0, draw.memory(8, 8));
      return;
    }
    if (draw.oneIn(8)) {
      code.bytes(0x66);
    }
    int r = draw.destination();
    if (r >= 8) {
      code.bytes(0x41);
    }
    code.bytes(0x58 | r & 7).end();
  }

  private void flagsAndAccumulator() {
    switch (draw.below(6)) {
      case 0 -> code.bytes(draw.pick(0xF5, 0xF8, 0xF9)).end(); // CMC, CLC, STC
      case 1 -> code.bytes(draw.pick(0xFC, 0xFC, 0xFD)).end(); // CLD, STD
      case 2 -> code.bytes(draw.pick(0x9E, 0x9F)).end(); // SAHF, LAHF
      case 3 -> {
        sized(wideSize());
        code.bytes(draw.pick(0x98, 0x99)).end();
      }
      case 4 -> code.bytes(0xD7).end(); // XLAT
      default -> code.bytes(0x9F).end();
    }
  }

  /**
   * PUSHF and POPF with flags changed between them: DF, AC, ID, and TF, which ends the case; NT is
   * left out ({@link Freedom#NESTED_TASK}).
   */
  private void flagsImage() {
    code.bytes(0x9C).end();
    Operand top = Operand.relative(Draw.RSP, Operand.NONE, 0, 0);
    int bit = draw.pick(0, 2, 4, 6, 7, 10, 10, 11, 13, 18, 21, 8, 9, 12, 16, 17, 19, 20);
    if (draw.oneIn(6) || bit != 8) {
      code.modrm(prefixes(), 8, 0x1BA, draw.pick(5, 6, 7), top, 1);
      code.immediate(1, bit).end(Mask.flags(Freedom.FLAGS_OF_BIT_TEST.flags()));
    }
    if (draw.oneIn(8)) {
      code.bytes(0x66);
    }
    code.bytes(0x9D).end();
  }

  private void exchange() {
    int size = size();
    int wide = size == 1 ? 0 : 1;
    if (draw.oneIn(4)) {
      int r = draw.destination();
      int rex = (size == 8 ? 8 : 0) | r >> 3;
      if (size == 2) {
        code.bytes(0x66);
      }
      if (rex != 0) {
        code.bytes(0x40 | rex);
      }
      code.bytes(0x90 | r & 7).end();
      return;
    }
    // XCHG with memory locks the bus: within a line.
    Operand target = draw.oneIn(2) ? Operand.register(register(size)) : lockable(size);
    if (draw.oneIn(2)) {
      general(size, 0x86 | wide, register(size), target);
    } else {
      general(size, 0x1C0 | wide, register(size), target); // XADD
    }
  }

  private void compareExchange() {
    if (draw.oneIn(3)) {
      boolean sixteen = draw.oneIn(2);
      int bytes = sixteen ? 16 : 8;
      Operand operand =
          draw.oneIn(8) ? draw.memory(bytes, sixteen ? 8 : 1) : draw.memory(bytes, bytes);
      general(sixteen ? 8 : 4, 0x1C7, 1, operand);
      return;
    }
    int size = size();
    readModifyWrite(size, size == 1 ? 0x1B0 : 0x1B1, sourceRegister(size), 0, 0, 0);
  }

  private void conditional() {
    int condition = draw.below(16);
    if (draw.oneIn(2)) {
      general(1, 0x190 | condition, draw.below(8), draw.target(1));
    } else {
      int size = wideSize();
      general(size, 0x140 | condition, draw.destination(), source(size));
    }
  }

  private void string() {
    int size = size();
    int opcode = draw.pick(0xA4, 0xA6, 0xAA, 0xAC, 0xAE) | (size == 1 ? 0 : 1);
    int count = draw.oneIn(10) ? draw.below(0x2000) : draw.below(20);
    if (draw.oneIn(8)) {
      code.bytes(0xFD).end();
    }
    if (!draw.oneIn(4)) {
      load(Draw.RSI, draw.address(32, size));
      load(Draw.RDI, draw.address(32, size));
    }
    int repeat = draw.pick(0, 0xF3, 0xF3, 0xF2);
    if (repeat != 0) {
      if (!draw.oneIn(20)) {
        load(Draw.RCX, count);
      }
      code.bytes(repeat);
    }
    if (draw.oneIn(10)) {
      code.bytes(0x67);
    }
    if (draw.oneIn(10)) {
      code.bytes(draw.pick(0x26, 0x2E, 0x36, 0x3E));
    }
    sized(size);
    code.bytes(opcode).end();
  }

  private void addressOf() {
    Operand operand =
        Operand.relative(
            draw.source(), draw.pick(-1, 0, 2, 8, 9, 12, 13), draw.below(4), draw.value());
    general(wideSize(), 0x8D, draw.destination(), draw.oneIn(6) ? operand.narrowed() : operand);
  }

  private void offsetMove() {
    int size = size();
    boolean narrow = draw.oneIn(3);
    if (narrow) {
      code.bytes(0x67);
    }
    sized(size);
    code.bytes(draw.pick(0xA0, 0xA2) | (size == 1 ? 0 : 1));
    code.immediate(narrow ? 4 : 8, draw.address(size, size)).end();
  }

  private void crcAndCount() {
    int size = size();
    if (draw.oneIn(2)) {
      int opcode = size == 1 ? 0x2F0 : 0x2F1;
      int rex = size == 8 ? 8 : -1;
      int[] prefixes = size == 2 ? prefixes(0x66, 0xF2) : prefixes(0xF2);
      Operand operand =
          draw.oneIn(2) ? draw.memory(size, size) : Operand.register(draw.pick(0, 1, 2, 8, 9));
      code.modrm(prefixes, rex, opcode, draw.destination(), operand, 0).end();
    } else {
      int[] prefixes = size == 2 ? prefixes(0x66, 0xF3) : prefixes(0xF3);
      code.modrm(
              prefixes, size == 8 ? 8 : -1, 0x1B8, draw.destination(), source(Math.max(size, 2)), 0)
          .end();
    }
  }

  private void nothing() {
    switch (draw.below(5)) {
      case 0 -> general(wideSize(), 0x11F, draw.below(8), draw.memory(4, 1));
      case 1 ->
          general(
              4,
              draw.pick(0x118, 0x10D),
              draw.below(8),
              draw.oneIn(4) ? Operand.register(draw.source()) : draw.memory(4, 1));
      case 2 -> code.bytes(0xF3, 0x90).end();
      case 3 -> code.bytes(0x0F, 0xAE, draw.pick(0xE8, 0xF0, 0xF8)).end(); // fences
      default -> code.modrm(prefixes(), -1, 0x1AE, 7, draw.memory(1, 1), 0).end(); // CLFLUSH
    }
  }

  private void segments() {
    switch (draw.below(4)) {
      case 0, 1 ->
          general(
              draw.pick(4, 2, 8),
              0x8C,
              draw.below(8),
              draw.oneIn(2) ? Operand.register(draw.destination()) : draw.memory(2, 2));
      case 2 -> {
        load(0, draw.pick(0, 3, Layout.USER_SS, Layout.USER_CS, Layout.USER_SS & ~3, 0x2003));
        int segment = draw.pick(0, 3, 2, 1, 6, 7);
        general(draw.pick(4, 2, 8), 0x8E, segment, Operand.register(0));
      }
      default -> {
        int r = draw.pick(0, 2, 8);
        load(r, draw.pick(0, 3, Layout.USER_SS, Layout.USER_CS));
        int opcode = draw.oneIn(2) ? draw.pick(0x102, 0x103) : 0x100;
        int reg = opcode == 0x100 ? draw.pick(4, 5) : draw.destination();
        int size = opcode == 0x100 ? 4 : wideSize();
        general(size, opcode, reg, Operand.register(r));
      }
    }
  }

  private void test() {
    int size = size();
    int wide = size == 1 ? 0 : 1;
    if (draw.oneIn(2)) {
      generalUndefined(
          size,
          0x84 | wide,
          sourceRegister(size),
          source(size),
          0,
          0,
          Freedom.FLAGS_OF_LOGIC.flags());
    } else {
      generalUndefined(
          size,
          0xF6 | wide,
          draw.below(2),
          source(size),
          Math.min(size, 4),
          draw.value(),
          Freedom.FLAGS_OF_LOGIC.flags());
    }
  }

  private void frame() {
    if (draw.oneIn(2)) {
      code.bytes(0xC8).immediate(2, draw.below(64) * 8).immediate(1, draw.pick(0, 0, 1, 2, 5));
      code.end();
    } else {
      if (!draw.oneIn(6)) {
        load(5, Layout.STACK + 0x400 + draw.below(0x400));
      }
      code.bytes(0xC9).end();
    }
    load(5, Layout.DATA + Layout.PAGE + 0x200);
  }

  private void swap() {
    if (draw.oneIn(3)) {
      int bytes = draw.pick(4, 8);
      general(bytes, 0x1C3, draw.source(), draw.memory(bytes, bytes)); // MOVNTI
      return;
    }
    int r = draw.destination();
    boolean wide = draw.oneIn(2);
    if (wide || r >= 8) {
      code.bytes(0x40 | (wide ? 8 : 0) | r >> 3);
    }
    code.bytes(0x0F, 0xC8 | r & 7).end();
  }
}
