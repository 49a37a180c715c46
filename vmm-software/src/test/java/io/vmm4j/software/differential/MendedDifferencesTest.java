package io.vmm4j.software.differential;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.vmm4j.software.cpu.Flags;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * In what the software CPU once differed from processors. Each is shown on it and, where one is to
 * be had, on a processor.
 */
@ParameterizedClass
@ValueSource(strings = {"software", "kvm", "native"})
class MendedDifferencesTest {
  private static final long NON_CANONICAL = 1L << 60;
  private static final int DB = 1;
  private static final int UD = 6;
  private static final int SS = 12;
  private static final int GP = 13;
  private static final int PF = 14;
  private static final int MF = 16;
  private static final int AC = 17;
  private static final int RCX = 1;
  private static final int RBX = 3;
  private static final int RSP = 4;
  private static final int RBP = 5;
  private static final int RSI = 6;
  private static final int RDI = 7;

  /** Status: a pending invalid operation. */
  private static final int PENDING = 0x8081;

  private final Processor processor;
  private final UserState start =
      new UserState(new long[16], Layout.CODE, 2, new byte[UserState.FX_BYTES]);
  private long flags = 2;

  MendedDifferencesTest(String name) {
    processor = open(name);
    start.setControl(0x37F, 0, 0, 0x1F80);
    start.gpr()[RSP] = Layout.STACK + 0x800;
    start.gpr()[RBX] = Layout.DATA;
  }

  private static Processor open(String name) {
    try {
      return Campaign.open(name);
    } catch (UnavailableException e) {
      return abort(e.getMessage());
    }
  }

  @AfterEach
  void close() {
    processor.close();
  }

  /** Runs code, UD2 behind it. */
  private Outcome run(int... code) {
    byte[] memory = new byte[Layout.IMAGE_BYTES];
    for (int i = 0; i < code.length; i++) {
      memory[i] = (byte) code[i];
    }
    memory[code.length] = 0x0F;
    memory[code.length + 1] = 0x0B;
    UserState from = new UserState(start.gpr(), start.rip(), flags, start.fx());
    return processor.run(new Case(0, from, memory, List.of(), Map.of()));
  }

  private void assertFaults(int vector, int... code) {
    Outcome o = run(code);
    assertThat(o.vector()).isEqualTo(vector);
    assertThat(o.state().rip()).as("rip").isEqualTo(Layout.CODE);
  }

  private static void assertEnds(Outcome o, int length) {
    assertThat(o.vector()).isEqualTo(UD);
    assertThat(o.state().rip()).isEqualTo(Layout.CODE + length);
  }

  @Test
  void aRepeatCountHasNoSign() {
    start.gpr()[RSI] = Layout.DATA;
    start.gpr()[RCX] = -2;

    Outcome o = run(0xF3, 0xAC); // REP LODSB

    assertThat(o.vector()).isEqualTo(PF);
    assertThat(o.cr2()).isEqualTo(Layout.ABSENT);
    assertThat(o.state().gpr()[RCX]).isEqualTo(-2 - (Layout.ABSENT - Layout.DATA));
  }

  @Test
  void whatDoesNotExistIsUndefinedWhateverItsAddress() {
    start.gpr()[RBX] = NON_CANONICAL;

    assertFaults(UD, 0x0F, 0x7C, 0x03); // HADDPS without its prefix
    assertFaults(UD, 0xF3, 0x0F, 0x7C, 0x03);
    assertFaults(UD, 0xF2, 0x0F, 0x14, 0x03); // UNPCKLPS with F2
  }

  @Test
  void reservedX87EncodingsAreUndefinedWhileAnExceptionIsPending() {
    start.setControl(0x37E, PENDING, 0, 0x1F80);

    assertFaults(UD, 0xDA, 0xE5);
    assertFaults(UD, 0xDB, 0x23); // DB /4 with memory
    assertFaults(UD, 0xDE, 0xDA);
    assertFaults(MF, 0xD9, 0xE8); // FLD1
  }

  @Test
  void imagesOfTheX87AreCheckedForAlignment() {
    flags |= Flags.AC;
    start.gpr()[RBX] = Layout.DATA + 2;

    assertFaults(AC, 0xDD, 0x23); // FRSTOR
    assertFaults(AC, 0xD9, 0x23); // FLDENV
    assertFaults(AC, 0xDD, 0x33); // FNSAVE
    assertFaults(AC, 0xD9, 0x33); // FNSTENV
    assertEnds(run(0x66, 0xD9, 0x33), 3); // with 16 bits two bytes are enough
  }

  @Test
  void anX87StoreThatAnExceptionForbidsIsCheckedForAlignment() {
    flags |= Flags.AC;
    start.setControl(0x37E, 0, 0, 0x1F80); // an empty stack, invalid operations unmasked
    start.gpr()[RBX] = Layout.DATA + 1;

    assertFaults(AC, 0xD9, 0x1B); // FSTP m32
    assertFaults(AC, 0xDB, 0x3B); // FSTP m80
  }

  @Test
  void operandsOfSixteenBytesAreCheckedForAlignment() {
    flags |= Flags.AC;
    start.gpr()[RBX] = Layout.DATA + 8;

    assertFaults(AC, 0x0F, 0x10, 0x03); // MOVUPS
    assertFaults(AC, 0x0F, 0x11, 0x03);
    assertFaults(AC, 0xF3, 0x0F, 0x6F, 0x03); // MOVDQU
  }

  @Test
  void maskedStoresAreCheckedForAlignment() {
    flags |= Flags.AC;
    start.gpr()[RDI] = Layout.DATA + 4;
    start.setSt(0, 0xFFFF, -1);

    assertFaults(AC, 0x0F, 0xF7, 0xC0); // MASKMOVQ
  }

  @Test
  void compareExchangeOfEightBytesIsCheckedForAlignmentAsAWhole() {
    flags |= Flags.AC;
    start.gpr()[RBX] = Layout.DATA + 4;

    assertFaults(AC, 0x0F, 0xC7, 0x0B); // CMPXCHG8B
  }

  @Test
  void aNonCanonicalAddressFaultsBeforeItsAlignment() {
    flags |= Flags.AC;
    start.gpr()[RBX] = NON_CANONICAL + 1;

    assertFaults(GP, 0x8B, 0x03);
    assertFaults(GP, 0xD9, 0x03);
  }

  /**
   * Code that loads RSP, for some hypervisors can't return to user code with such a stack; and RBP
   * with it.
   */
  private static int[] onStack(long rsp, int... code) {
    int[] whole = new int[13 + code.length];
    whole[0] = 0x48;
    whole[1] = 0xBC;
    for (int i = 0; i < 8; i++) {
      whole[2 + i] = (int) (rsp >>> 8 * i) & 0xFF;
    }
    System.arraycopy(new int[] {0x48, 0x89, 0xE5}, 0, whole, 10, 3); // MOV RBP, RSP
    System.arraycopy(code, 0, whole, 13, code.length);
    return whole;
  }

  private void assertFaultsOnStack(int vector, long rsp, int... code) {
    Outcome o = run(onStack(rsp, code));
    assertThat(o.vector()).isEqualTo(vector);
    assertThat(o.state().rip()).as("rip").isEqualTo(Layout.CODE + 13);
  }

  @Test
  void aNonCanonicalStackIsAStackFault() {
    assertFaultsOnStack(SS, NON_CANONICAL, 0x9C); // PUSHF
    assertFaultsOnStack(SS, NON_CANONICAL, 0x9D); // POPF
    assertFaultsOnStack(SS, NON_CANONICAL, 0x6A, 0x00);
    assertFaultsOnStack(SS, NON_CANONICAL, 0xC9); // LEAVE
    assertFaultsOnStack(SS, NON_CANONICAL, 0xFF, 0x33); // PUSH [RBX]
    assertFaultsOnStack(SS, NON_CANONICAL, 0xFF, 0x13); // CALL [RBX]
    assertFaultsOnStack(SS, NON_CANONICAL, 0x8F, 0x03); // POP [RBX]
  }

  @Test
  void ofTwoNonCanonicalAddressesTheFirstCounts() {
    start.gpr()[RBX] = NON_CANONICAL;

    assertFaultsOnStack(GP, NON_CANONICAL, 0xFF, 0x33); // PUSH [RBX]
    assertFaultsOnStack(SS, NON_CANONICAL, 0x8F, 0x03); // POP [RBX]
  }

  @Test
  void anOperandThatEndsBeyondTheCanonicalAddressesHasNoPageFault() {
    long last = (1L << 47) - 4;
    start.gpr()[RBX] = last;

    assertFaults(GP, 0x48, 0x8B, 0x03); // MOV RAX, [RBX]
    assertFaults(PF, 0x8B, 0x03);
    assertFaultsOnStack(SS, last, 0x58); // POP RAX
  }

  @Test
  void aRepeatedInstructionIsTrappedAfterEachIteration() {
    flags |= Flags.TF;
    start.gpr()[RCX] = 3;
    start.gpr()[RDI] = Layout.DATA;

    for (int opcode : new int[] {0xA4, 0xAA, 0xAC, 0xA6}) {
      start.gpr()[RSI] = Layout.DATA;
      Outcome o = run(0xF3, opcode, 0x90, 0xEB, 0x00); // NOP, and a jump for the block's end

      assertThat(o.vector()).isEqualTo(DB);
      assertThat(o.state().rip()).isEqualTo(Layout.CODE);
      assertThat(o.state().gpr()[RCX]).isEqualTo(2);
    }
  }

  @Test
  void conversionFromMemoryLeavesTheX87Alone() {
    start.setControl(0x37E, PENDING | 0x1800, 0, 0x1F80);

    Outcome o = run(0x0F, 0x2A, 0x03); // CVTPI2PS XMM0, [RBX]

    assertEnds(o, 3);
    assertThat(o.state().statusWord()).isEqualTo(PENDING | 0x1800);
  }

  @Test
  void theAliasOfFstpHasNoStackFault() {
    start.setControl(0x37F, 0, 0xFE, 0x1F80); // ST(0) is empty
    start.setSt(0, 0x3FFF, Long.MIN_VALUE);
    start.setSt(2, 0x4000, Long.MIN_VALUE);

    Outcome o = run(0xD9, 0xDA);

    assertEnds(o, 2);
    assertThat(o.state().statusWord()).isEqualTo(1 << 11);
    assertThat(o.state().abridgedTag()).isEqualTo(0xFE);
    assertThat(o.state().signExponent(1)).isEqualTo(0x4000);
  }

  @Test
  void thePortIsCheckedThoughTheCountIs0() {
    start.gpr()[RSI] = Layout.DATA;
    start.gpr()[RDI] = Layout.DATA;
    start.gpr()[RCX] = 0;

    assertFaults(GP, 0xF3, 0x6C); // REP INSB
    assertFaults(GP, 0xF2, 0x6F); // REPNE OUTSD
    assertEnds(run(0xF3, 0xA4), 2); // REP MOVSB
  }

  @Test
  void aNonCanonicalImageOfTheX87IsAStackFaultThoughItIsNotAligned() {
    start.gpr()[RBP] = NON_CANONICAL + 1;

    assertFaults(SS, 0x0F, 0xAE, 0x4D, 0x00); // FXRSTOR [RBP]
    assertFaults(SS, 0x0F, 0xAE, 0x45, 0x00); // FXSAVE [RBP]
    assertFaults(GP, 0x0F, 0xAE, 0x65, 0x00); // XSAVE [RBP]
    assertFaults(GP, 0x0F, 0x28, 0x45, 0x00); // MOVAPS XMM0, [RBP]
  }
}
