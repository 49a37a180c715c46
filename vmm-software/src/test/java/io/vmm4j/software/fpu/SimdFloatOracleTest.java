package io.vmm4j.software.fpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vmm4j.software.oracle.NativeOracle;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Scalar SSE arithmetic against the host's, in every rounding mode, with and without DAZ and FZ.
 */
class SimdFloatOracleTest {
  private static final int ROUNDS = Integer.getInteger("vmm4j.oracle.cases", 100_000);

  private NativeOracle oracle;
  private final FloatCases cases = new FloatCases(11_2026);
  private final SimdFloat unit = new SimdFloat();
  private int differences;
  private final StringBuilder report = new StringBuilder();

  private interface Operation {
    long apply(long a, long b);
  }

  @BeforeEach
  void open() {
    assumeTrue(NativeOracle.isSupported(), "native comparison needs x86-64 Linux");
    oracle = NativeOracle.open();
  }

  @AfterEach
  void close() {
    if (oracle != null) {
      oracle.close();
    }
  }

  @Test
  void doubleArithmeticEqualsTheProcessors() {
    doubles("addsd", unit::addDouble, 0xf2, 0x0f, 0x58, 0xc1);
    doubles("subsd", unit::subtractDouble, 0xf2, 0x0f, 0x5c, 0xc1);
    doubles("mulsd", unit::multiplyDouble, 0xf2, 0x0f, 0x59, 0xc1);
    doubles("divsd", unit::divideDouble, 0xf2, 0x0f, 0x5e, 0xc1);
    doubles("sqrtsd", (a, b) -> unit.squareRootDouble(b), 0xf2, 0x0f, 0x51, 0xc1);
    doubles("minsd", unit::minimumDouble, 0xf2, 0x0f, 0x5d, 0xc1);
    doubles("maxsd", unit::maximumDouble, 0xf2, 0x0f, 0x5f, 0xc1);
    settle();
  }

  @Test
  void singleArithmeticEqualsTheProcessors() {
    singles("addss", (a, b) -> unit.addSingle((int) a, (int) b), 0xf3, 0x0f, 0x58, 0xc1);
    singles("subss", (a, b) -> unit.subtractSingle((int) a, (int) b), 0xf3, 0x0f, 0x5c, 0xc1);
    singles("mulss", (a, b) -> unit.multiplySingle((int) a, (int) b), 0xf3, 0x0f, 0x59, 0xc1);
    singles("divss", (a, b) -> unit.divideSingle((int) a, (int) b), 0xf3, 0x0f, 0x5e, 0xc1);
    singles("sqrtss", (a, b) -> unit.squareRootSingle((int) b), 0xf3, 0x0f, 0x51, 0xc1);
    singles("minss", (a, b) -> unit.minimumSingle((int) a, (int) b), 0xf3, 0x0f, 0x5d, 0xc1);
    singles("maxss", (a, b) -> unit.maximumSingle((int) a, (int) b), 0xf3, 0x0f, 0x5f, 0xc1);
    settle();
  }

  @Test
  void comparisonsEqualTheProcessors() {
    for (int p = 0; p < 8; p++) {
      int predicate = p;
      doubles(
          "cmpsd" + p,
          (a, b) -> unit.matchesDouble(a, b, predicate) ? -1 : 0,
          0xf2,
          0x0f,
          0xc2,
          0xc1,
          p);
      singles(
          "cmpss" + p,
          (a, b) -> unit.matchesSingle((int) a, (int) b, predicate) ? -1 : 0,
          0xf3,
          0x0f,
          0xc2,
          0xc1,
          p);
    }
    // The relation as CF and ZF, stored by SETcc into the result's place.
    doubles("ucomisd", (a, b) -> flags(unit.compareDouble(a, b, true)), comisCode(true, true));
    doubles("comisd", (a, b) -> flags(unit.compareDouble(a, b, false)), comisCode(true, false));
    singles(
        "ucomiss",
        (a, b) -> flags(unit.compareSingle((int) a, (int) b, true)),
        comisCode(false, true));
    singles(
        "comiss",
        (a, b) -> flags(unit.compareSingle((int) a, (int) b, false)),
        comisCode(false, false));
    settle();
  }

  private static int[] comisCode(boolean twice, boolean quiet) {
    int opcode = quiet ? 0x2e : 0x2f;
    // comis xmm0, xmm1; pushfq; pop rax; movq xmm0, rax
    return twice
        ? new int[] {0x66, 0x0f, opcode, 0xc1, 0x9c, 0x58, 0x66, 0x48, 0x0f, 0x6e, 0xc0}
        : new int[] {0x0f, opcode, 0xc1, 0x9c, 0x58, 0x66, 0x48, 0x0f, 0x6e, 0xc0};
  }

  private static long flags(int relation) {
    return 0x202 | (relation == 2 ? 0x45 : relation == 0 ? 0x40 : relation < 0 ? 1 : 0);
  }

  @Test
  void conversionsEqualTheProcessors() {
    doubles(
        "cvtsd2ss",
        (a, b) -> a >>> 32 << 32 | unit.doubleToSingle(b) & 0xffff_ffffL,
        0xf2,
        0x0f,
        0x5a,
        0xc1);
    singles("cvtss2sd", (a, b) -> unit.singleToDouble((int) b), 0xf3, 0x0f, 0x5a, 0xc1);
    // The integer is in RDX.
    doubles("cvtsi2sd", (a, b) -> unit.integerToDouble(b), 0xf2, 0x48, 0x0f, 0x2a, 0xc2);
    doubles(
        "cvtsi2ss",
        (a, b) -> a >>> 32 << 32 | unit.integerToSingle(b) & 0xffff_ffffL,
        0xf3,
        0x48,
        0x0f,
        0x2a,
        0xc2);
    // cvtXX2si rax, xmm1; movq xmm0, rax
    for (int truncate = 0; truncate < 2; truncate++) {
      boolean chop = truncate == 1;
      int opcode = 0x2d - truncate;
      doubles(
          "cvt(t)sd2si64",
          (a, b) -> unit.doubleToInteger(b, 64, chop),
          0xf2,
          0x48,
          0x0f,
          opcode,
          0xc1,
          0x66,
          0x48,
          0x0f,
          0x6e,
          0xc0);
      doubles(
          "cvt(t)sd2si32",
          (a, b) -> unit.doubleToInteger(b, 32, chop) & 0xffff_ffffL,
          0xf2,
          0x0f,
          opcode,
          0xc1,
          0x66,
          0x48,
          0x0f,
          0x6e,
          0xc0);
      doubles(
          "cvt(t)ss2si64",
          (a, b) -> unit.singleToInteger((int) b, 64, chop),
          0xf3,
          0x48,
          0x0f,
          opcode,
          0xc1,
          0x66,
          0x48,
          0x0f,
          0x6e,
          0xc0);
      doubles(
          "cvt(t)ss2si32",
          (a, b) -> unit.singleToInteger((int) b, 32, chop) & 0xffff_ffffL,
          0xf3,
          0x0f,
          opcode,
          0xc1,
          0x66,
          0x48,
          0x0f,
          0x6e,
          0xc0);
    }
    settle();
  }

  @Test
  void roundingToIntegersEqualsTheProcessors() {
    assumeTrue(NativeOracle.hostHas("sse4_1"), "host without SSE4.1");
    for (int i = 0; i < 16; i++) {
      int mode = i;
      doubles("roundsd " + i, (a, b) -> unit.roundDouble(b, mode), 0x66, 0x0f, 0x3a, 0x0b, 0xc1, i);
      singles(
          "roundss " + i,
          (a, b) -> unit.roundSingle((int) b, mode),
          0x66,
          0x0f,
          0x3a,
          0x0a,
          0xc1,
          i);
    }
    settle();
  }

  private void doubles(String name, Operation operation, int... code) {
    run(name, operation, true, code);
  }

  private void singles(String name, Operation operation, int... code) {
    run(name, operation, false, code);
  }

  private void run(String name, Operation operation, boolean twice, int... code) {
    oracle.code(code);
    boolean wide = twice || name.equals("cvtss2sd") || name.contains("comi");
    for (int i = 0; i < ROUNDS; i++) {
      long a = twice ? cases.doubleBits() : cases.floatBits() & 0xffff_ffffL;
      long b = twice ? cases.doubleBits() : cases.floatBits() & 0xffff_ffffL;
      if (name.startsWith("cvtsi")) {
        b = b >> cases.below(64);
      } else if (name.contains("ss2si")) {
        b = cases.floatBits();
      } else if (cases.below(12) == 0) {
        b = a;
      }
      int mxcsr = 0x1f80 | (i & 3) << 13;
      mxcsr |= cases.below(4) == 0 ? 0x40 : 0;
      mxcsr |= cases.below(4) == 0 ? 0x8000 : 0;
      mxcsr |= cases.below(3) == 0 ? 0x20 : 0;
      if (cases.below(2) == 0) {
        mxcsr &= ~0x6000;
      }
      oracle.xmm(0, a, 0);
      oracle.xmm(1, b, 0);
      oracle.gpr(2, b);
      oracle.mxcsr(mxcsr);
      oracle.rflags(0);
      unit.mxcsr(mxcsr);
      long result = operation.apply(a, b);
      boolean faults = unit.settle();

      oracle.run();

      long mask = wide ? -1 : 0xffff_ffffL;
      if ((oracle.xmm(0, 0) & mask) != (result & mask)
          || oracle.mxcsr() != unit.mxcsr()
          || faults) {
        if (differences++ < 12) {
          report.append(
              String.format(
                  "%s %x, %x mxcsr %x: %x mxcsr %x, expected %x mxcsr %x%n",
                  name, a, b, mxcsr, result, unit.mxcsr(), oracle.xmm(0, 0), oracle.mxcsr()));
        }
      }
    }
  }

  private void settle() {
    assertThat(differences).describedAs("differences, the first being%n%s", report).isZero();
  }
}
