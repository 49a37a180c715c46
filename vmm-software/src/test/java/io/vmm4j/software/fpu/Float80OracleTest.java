package io.vmm4j.software.fpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vmm4j.software.oracle.NativeOracle;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every 80-bit operation against the host's x87, bit for bit, in all modes. */
class Float80OracleTest {
  private static final int ROUNDS = Integer.getInteger("vmm4j.oracle.cases", 40_000);
  private static final int EXCEPTIONS_AND_C1 = 0x23f;

  private NativeOracle oracle;
  private final FloatCases cases = new FloatCases(20_261_124);
  private final Float80 f = new Float80();
  private int differences;
  private final StringBuilder report = new StringBuilder();

  private interface Binary {
    void apply(Float80 f, int ase, long asig, int bse, long bsig);
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
  void additionEqualsTheProcessors() {
    binary("fadd", Float80::add, 0xd8, 0xc1);
  }

  @Test
  void subtractionEqualsTheProcessors() {
    binary("fsub", Float80::subtract, 0xd8, 0xe1);
    binary("fsubr", (f, a, b, c, d) -> f.subtract(c, d, a, b), 0xd8, 0xe9);
  }

  @Test
  void multiplicationEqualsTheProcessors() {
    binary("fmul", Float80::multiply, 0xd8, 0xc9);
  }

  @Test
  void divisionEqualsTheProcessors() {
    binary("fdiv", Float80::divide, 0xd8, 0xf1);
  }

  @Test
  void squareRootEqualsTheProcessors() {
    binary("fsqrt", (f, a, b, c, d) -> f.squareRoot(a, b), 0xd9, 0xfa);
  }

  @Test
  void roundingToIntegerEqualsTheProcessors() {
    binary("frndint", (f, a, b, c, d) -> f.roundToInteger(a, b), 0xd9, 0xfc);
  }

  @Test
  void comparisonsEqualTheProcessors() {
    for (int quiet = 0; quiet < 2; quiet++) {
      oracle.code(quiet == 1 ? 0xdd : 0xd8, quiet == 1 ? 0xe1 : 0xd1); // fucom, fcom st(1)
      for (int i = 0; i < ROUNDS; i++) {
        int ase = cases.signExponent();
        long asig = cases.significand(ase);
        int bse = cases.below(4) == 0 ? ase : cases.signExponent();
        long bsig = cases.below(4) == 0 ? asig : cases.significand(bse);
        int control = control(i);
        prepare(control, ase, asig, bse, bsig);
        f.control = control;
        f.begin();
        int order = f.compare(ase, asig, bse, bsig, quiet == 1);

        oracle.run();

        int condition = order == 2 ? 0x4500 : order == 0 ? 0x4000 : order < 0 ? 0x100 : 0;
        int actual = f.exceptions | condition;
        int expected = oracle.statusWord() & 0x473f;
        if (actual != expected) {
          differ(
              "fcom%d %s ? %s: %x, expected %x",
              quiet, hex(ase, asig), hex(bse, bsig), actual, expected);
        }
      }
    }
    settle();
  }

  @Test
  void storesToIntegersEqualTheProcessors() {
    store("fist m16", (se, sig) -> Float80Conversion.toInteger(f, se, sig, 16, false), 0xdf, 0x17);
    store("fist m32", (se, sig) -> Float80Conversion.toInteger(f, se, sig, 32, false), 0xdb, 0x17);
    store("fistp m64", (se, sig) -> Float80Conversion.toInteger(f, se, sig, 64, false), 0xdf, 0x3f);
    store("fisttp 16", (se, sig) -> Float80Conversion.toInteger(f, se, sig, 16, true), 0xdf, 0x0f);
    store("fisttp 32", (se, sig) -> Float80Conversion.toInteger(f, se, sig, 32, true), 0xdb, 0x0f);
    store("fisttp 64", (se, sig) -> Float80Conversion.toInteger(f, se, sig, 64, true), 0xdd, 0x0f);
    settle();
  }

  @Test
  void storesToShorterFormatsEqualTheProcessors() {
    store("fst m32", (se, sig) -> Float80Conversion.toFloat(f, se, sig), 0xd9, 0x17);
    store("fst m64", (se, sig) -> Float80Conversion.toDouble(f, se, sig), 0xdd, 0x17);
    settle();
  }

  @Test
  void decimalStoresEqualTheProcessors() {
    store("fbstp", (se, sig) -> Float80Conversion.toDecimal(f, se, sig), 0xdf, 0x37);
    settle();
  }

  @Test
  void loadsEqualTheProcessors() {
    load("fld m32", bits -> Float80Conversion.fromFloat(f, (int) bits), 32, 0xd9, 0x07);
    load("fld m64", bits -> Float80Conversion.fromDouble(f, bits), 64, 0xdd, 0x07);
    load("fild m16", bits -> Float80Conversion.fromLong(f, (short) bits), 0, 0xdf, 0x07);
    load("fild m32", bits -> Float80Conversion.fromLong(f, (int) bits), 0, 0xdb, 0x07);
    load("fild m64", bits -> Float80Conversion.fromLong(f, bits), 0, 0xdf, 0x2f);
    settle();
  }

  private interface Store {
    long apply(int se, long sig);
  }

  private interface Load {
    void apply(long bits);
  }

  private void store(String name, Store operation, int... code) {
    oracle.code(code);
    oracle.gpr(7, oracle.scratchAddress());
    long untouched = 0x5555_5555_5555_5555L;
    int bytes = name.endsWith("16") ? 2 : name.endsWith("32") ? 4 : 8;
    for (int i = 0; i < ROUNDS; i++) {
      int se = cases.signExponent();
      long sig = cases.significand(se);
      int control = control(i);
      prepare(control, se, sig, 0, 0);
      oracle.scratch().set(ValueLayout.JAVA_LONG, 0, untouched);
      oracle.scratch().set(ValueLayout.JAVA_LONG, 8, untouched);
      f.control = control;
      f.begin();
      long result = operation.apply(se, sig);

      oracle.run();

      int status = oracle.statusWord() & EXCEPTIONS_AND_C1;
      int actualStatus = f.exceptions | (f.roundedUp ? 0x200 : 0);
      boolean noStore = (f.exceptions & ~control & 0x19) != 0;
      long mask = bytes == 8 ? -1 : (1L << 8 * bytes) - 1;
      long expected = oracle.scratch().get(ValueLayout.JAVA_LONG, 0) & mask;
      long actual = (noStore ? untouched : result) & mask;
      long high = oracle.scratch().get(ValueLayout.JAVA_LONG, 8) & 0xffff;
      boolean highWrong =
          name.equals("fbstp") && high != (noStore ? 0x5555 : Float80Conversion.decimalHigh(f));
      if (actual != expected || status != actualStatus || highWrong) {
        differ(
            "%s %s cw %x: %x sw %x, expected %x sw %x",
            name, hex(se, sig), control, actual, actualStatus, expected, status);
      }
    }
  }

  private void load(String name, Load operation, int format, int... code) {
    oracle.code(code);
    oracle.gpr(7, oracle.scratchAddress());
    for (int i = 0; i < ROUNDS; i++) {
      long bits =
          format == 32
              ? cases.floatBits()
              : format == 64 ? cases.doubleBits() : cases.next() >> cases.below(64);
      prepare(0x37f, 0, 0, 0, 0);
      oracle.abridgedTag(0);
      oracle.scratch().set(ValueLayout.JAVA_LONG, 0, bits);
      f.control = 0x37f;
      f.begin();
      operation.apply(bits);

      oracle.run();

      int status = oracle.statusWord() & EXCEPTIONS_AND_C1;
      if (oracle.signExponent(0) != f.signExponent
          || oracle.significand(0) != f.significand
          || status != f.exceptions) {
        differ(
            "%s %x: %s sw %x, expected %s sw %x",
            name,
            bits,
            hex(f.signExponent, f.significand),
            f.exceptions,
            hex(oracle.signExponent(0), oracle.significand(0)),
            status);
      }
    }
  }

  private int control(int i) {
    int masks = i % 3 == 0 ? cases.below(64) : 0x3f;
    return masks | 0x40 | cases.below(4) << 10 | new int[] {0, 2, 3, 3}[cases.below(4)] << 8;
  }

  private void prepare(int control, int ase, long asig, int bse, long bsig) {
    oracle.controlWord(control);
    oracle.statusWord(0);
    oracle.abridgedTag(3);
    oracle.st(0, ase, asig);
    oracle.st(1, bse, bsig);
  }

  private void binary(String name, Binary operation, int... code) {
    oracle.code(code);
    for (int i = 0; i < ROUNDS * 4; i++) {
      int ase = cases.signExponent();
      long asig = cases.significand(ase);
      int bse = cases.below(8) == 0 ? ase ^ cases.below(2) << 15 : cases.signExponent();
      long bsig = cases.below(8) == 0 ? asig : cases.significand(bse);
      int control = control(i);
      prepare(control, ase, asig, bse, bsig);
      f.control = control;
      f.begin();
      f.set(0, 0);
      operation.apply(f, ase, asig, bse, bsig);
      if (f.suppressed()) {
        f.set(ase, asig);
      }

      oracle.run();

      int status = oracle.statusWord() & EXCEPTIONS_AND_C1;
      int actualStatus = f.exceptions | (f.roundedUp ? 0x200 : 0);
      if (oracle.signExponent(0) != f.signExponent
          || oracle.significand(0) != f.significand
          || status != actualStatus) {
        differ(
            "%s %s, %s cw %x: %s sw %x, expected %s sw %x",
            name,
            hex(ase, asig),
            hex(bse, bsig),
            control,
            hex(f.signExponent, f.significand),
            actualStatus,
            hex(oracle.signExponent(0), oracle.significand(0)),
            status);
      }
    }
    settle();
  }

  private void differ(String format, Object... arguments) {
    if (differences++ < 12) {
      report.append(String.format(format, arguments)).append('\n');
    }
  }

  private void settle() {
    assertThat(differences).describedAs("differences, the first being%n%s", report).isZero();
  }

  private static String hex(int se, long sig) {
    return String.format("%04x.%016x", se & 0xffff, sig);
  }
}
