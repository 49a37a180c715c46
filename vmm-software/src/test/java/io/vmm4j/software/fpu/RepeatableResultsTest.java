package io.vmm4j.software.fpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A run in virtual time repeats on every version: so what a function gives must not change with the
 * way it is computed, be it in the last bit that the manual leaves open. Each is shown by a digest
 * of its results for operands of a fixed seed, which the first version gave.
 */
class RepeatableResultsTest {
  private static final int CASES = 20_000;

  private final Float80 f = new Float80();
  private final Transcendental functions = new Transcendental(f);
  private final FloatCases cases = new FloatCases(1010);
  private long digest;

  private void add(long value) {
    digest = Long.rotateLeft(digest, 7) * 0x9E37_79B9_7F4A_7C15L ^ value;
  }

  /** An operand, often one within a function's proper range. */
  private int exponent() {
    int se = cases.signExponent();
    return cases.below(4) == 0 ? se : se & 0x8000 | 0x3FFF + 62 - cases.below(130);
  }

  private void compute(String function, int ase, long asig, int bse, long bsig) {
    switch (function) {
      case "FSIN" -> functions.sine(ase, asig);
      case "FCOS" -> functions.cosine(ase, asig);
      case "FPTAN" -> functions.tangent(ase, asig);
      case "FPATAN" -> functions.arctangent(ase, asig, bse, bsig);
      case "F2XM1" -> functions.twoToTheXMinusOne(ase, asig);
      case "FYL2X" -> functions.yLog2(ase, asig, bse & 0x7FFF, bsig);
      case "FYL2XP1" -> functions.yLog2Plus1(ase, asig, bse, bsig);
      case "FPREM" -> add(Remainder.compute(f, ase, asig, bse, bsig, false));
      case "FPREM1" -> add(Remainder.compute(f, ase, asig, bse, bsig, true));
      case "FBSTP" -> add(Float80Conversion.toDecimal(f, ase, asig));
      default -> Float80Conversion.fromDecimal(f, asig, bse);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "FSIN, 8eb2693c79366009",
    "FCOS, d0d01ca8fcf31c55",
    "FPTAN, a382c03798a70dc5",
    "FPATAN, 99864d40b9ed6a4e",
    "F2XM1, 2a4c51a1be50a4b6",
    "FYL2X, 9eadbc50cabbdc0c",
    "FYL2XP1, da6deb50ba2f9cb2",
    "FPREM, e898cddf124030ba",
    "FPREM1, 2fd00fb7381360b2",
    "FBSTP, 6eeeeca9fee16f7",
    "FBLD, c9af6991c2f3338b"
  })
  void resultsAreThoseOfTheFirstVersion(String function, String expected) {
    for (int i = 0; i < CASES; i++) {
      int ase = exponent();
      long asig = cases.significand(ase);
      int bse = exponent();
      long bsig = cases.significand(bse);
      f.control = 0x37F | cases.below(4) << 10;
      f.begin();
      boolean trigonometric = function.matches("FSIN|FCOS|FPTAN");
      if (trigonometric && Transcendental.outOfRange(ase, asig)) {
        continue;
      }
      compute(function, ase, asig, bse, bsig);
      add(f.signExponent);
      add(f.significand);
      add(f.exceptions << 1 | (f.roundedUp ? 1 : 0));
    }
    assertThat(Long.toHexString(digest)).isEqualTo(expected);
  }
}
