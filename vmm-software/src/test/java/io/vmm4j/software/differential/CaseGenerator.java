package io.vmm4j.software.differential;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.software.fpu.FloatCases;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes cases of seeds: the same case of the same seed, always.
 *
 * <p>What an instruction leaves undefined is not carried on: it is followed by one that defines it,
 * and for a case that ends between the two, {@link Case#openAt} says what is not to be compared.
 * Branches never go between them. So a result never depends on what is undefined, however long the
 * sequence.
 *
 * <p>Code comes to an end: branches go forward, and loops are counted by a register that the loop
 * does not write.
 */
final class CaseGenerator {
  private static final int POOL_BYTES = 1 << 18;
  private static final int MOST_GROUPS = 26;
  private static final byte[] POOL = pool();

  private CaseGenerator() {}

  /** From which memory is filled: numbers of all formats. */
  private static byte[] pool() {
    Draw draw = new Draw(1);
    ByteBuffer pool = ByteBuffer.allocate(POOL_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    FloatCases floats = draw.floats();
    while (pool.remaining() >= 16) {
      if (draw.oneIn(5)) {
        int signExponent = floats.signExponent();
        pool.putLong(floats.significand(signExponent)).putLong(signExponent);
      } else {
        pool.putLong(draw.lane());
      }
    }
    return pool.array();
  }

  /** The case of a seed. */
  static Case of(long seed) {
    Draw draw = new Draw(seed);
    UserState start = start(draw);
    Assembler code = new Assembler((int) (start.rip() - Layout.CODE));
    write(code, draw);
    byte[] memory = new byte[Layout.IMAGE_BYTES];
    System.arraycopy(code.page(), 0, memory, 0, Layout.PAGE);
    for (int page = 1; page < Layout.PAGES.length; page++) {
      int from = 8 * draw.below((POOL_BYTES - Layout.PAGE) / 8);
      System.arraycopy(POOL, from, memory, page * Layout.PAGE, Layout.PAGE);
    }
    return new Case(seed, start, memory, code.pieces(), code.open());
  }

  private static void write(Assembler code, Draw draw) {
    IntegerCode integers = new IntegerCode(code, draw);
    ControlFlow flow = new ControlFlow(code, draw);
    X87Code x87 = new X87Code(code, draw);
    VectorCode vectors = new VectorCode(code, draw);
    BitCode bits = new BitCode(code, draw);
    AvxCode wide = new AvxCode(code, draw);
    int groups = draw.oneIn(4) ? 1 + draw.below(3) : 1 + draw.below(MOST_GROUPS);
    // Mostly of one kind, for a case of all kinds seldom feeds one result to the next.
    int favourite = draw.pick(0, 1, 2, 3, 4, 5, 9, 9);
    for (int i = 0; i < groups && !code.isFull(); i++) {
      flow.beginGroup();
      switch (draw.oneIn(3) ? draw.below(11) : favourite) {
        case 0, 4, 6 -> integers.emit();
        case 1 -> x87.emit();
        case 2, 7, 8 -> vectors.emit();
        case 5 -> bits.emit();
        case 9, 10 -> wide.emit();
        default -> {
          if (draw.oneIn(3)) {
            flow.emit();
          } else {
            integers.emit();
          }
        }
      }
    }
    flow.beginGroup();
    code.bytes(0x0F, 0x0B).end(); // UD2: the end of every case
    flow.resolve();
  }

  private static UserState start(Draw draw) {
    long[] gpr = new long[16];
    for (int i = 0; i < 16; i++) {
      gpr[i] = draw.value();
    }
    gpr[3] = Layout.DATA + 0x800;
    gpr[5] = Layout.DATA + Layout.PAGE + 0x200;
    gpr[6] = Layout.DATA + 8 * draw.below(0x180);
    gpr[7] = Layout.DATA + Layout.PAGE + 8 * draw.below(0x180);
    gpr[12] = Layout.DATA + Layout.PAGE;
    gpr[13] = Layout.DATA + 16 * draw.below(0x100);
    gpr[Draw.INDEX] = draw.below(17) - 8;
    gpr[Draw.RSP] = Layout.STACK + 0x800;
    if (draw.oneIn(40)) {
      gpr[Draw.RSP] = Layout.STACK + draw.pick(0, 4, 8, 16, 0x1000, 0xFF8, 0xFFC, 0x801);
    }
    if (draw.oneIn(30)) {
      gpr[draw.pick(3, 5, 6, 7, 12, 13)] = draw.value();
    }
    System.arraycopy(gpr, 0, draw.known, 0, 16);
    long flags = draw.flags() | 2;
    flags |= draw.oneIn(8) ? Flags.DF : 0;
    flags |= draw.oneIn(25) ? Flags.TF : 0;
    flags |= draw.oneIn(25) ? Flags.AC : 0;
    int offset = draw.oneIn(20) ? Layout.PAGE - 1 - draw.below(60) : draw.below(64);
    UserState state = new UserState(gpr, Layout.CODE + offset, flags, new byte[UserState.FX_BYTES]);
    floatingPoint(draw, state);
    return state;
  }

  private static void floatingPoint(Draw draw, UserState state) {
    int masks = draw.oneIn(5) ? draw.below(64) : 0x3F;
    int control = 0x40 | masks | draw.pick(3, 3, 3, 2, 0, 1) << 8 | draw.below(4) << 10;
    int tag = draw.oneIn(4) ? draw.pick(0, 0xFF) : draw.below(256);
    // Flags of masked exceptions only: a pending one is raised by the first waiting instruction.
    int status = draw.below(64) & (draw.oneIn(8) ? 0x3F : masks) | draw.below(8) << 11;
    status |= draw.oneIn(2) ? draw.below(8) << 8 | draw.below(2) << 14 : 0;
    status |= (status & ~control & 0x3F) != 0 ? 0x8080 : 0;
    state.setControl(control, status, tag, VectorCode.mxcsr(draw));
    for (int i = 0; i < 8; i++) {
      int signExponent = draw.floats().signExponent();
      state.setSt(i, signExponent, draw.floats().significand(signExponent));
    }
    for (int i = 0; i < 16; i++) {
      state.setXmm(i, draw.lane(), draw.lane());
    }
    boolean initial = draw.oneIn(8);
    for (int i = 0; i < 16 && !initial && HostFeatures.PRESENT.has(CpuFeature.AVX); i++) {
      state.setYmmHigh(i, draw.lane(), draw.lane());
    }
  }

  /** The cases of consecutive seeds. */
  static List<Case> of(long firstSeed, int count) {
    List<Case> cases = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      cases.add(of(firstSeed + i));
    }
    return cases;
  }
}
