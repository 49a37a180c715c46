package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.software.TestHost;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** RF in the frame of each kind of event: Intel SDM volume 3, 18.3.1.1. */
class ResumeFlagTest {
  private static final int DATA = 0x9000;
  private static final int BREAKPOINT_0 = 2;
  private static final int GENERAL_DETECT = 1 << 13;
  private static final int DR0_WRITE_1_BYTE = 1 << 16;
  private static final int VECTOR = 0x1F;
  private static final int UD2 = 0x0B;
  private static final int BEYOND_THE_GDT = 0x100;

  private final BareCpu bare = BareCpu.withCodeSize(4);
  private final Cpu cpu = bare.cpu;

  /** Runs code that ends in an exception or interrupt, and gives the flags in its frame. */
  private int flagsPushed(int vector, int... code) {
    assertThat(bare.run(code)).isEqualTo(vector);
    boolean hasError = vector == Cpu.DF || vector >= Cpu.TS && vector <= Cpu.PF;
    return bare.pushed(hasError ? 3 : 2);
  }

  private void assertResume(boolean expected, int vector, int... code) {
    assertThat((flagsPushed(vector, code) & Flags.RF) != 0).isEqualTo(expected);
  }

  private void breakpoint(long address, int control) {
    cpu.dr[0] = address;
    cpu.dr[5] = 0x400 | BREAKPOINT_0 | control;
    cpu.mmu.breakpoints().changed();
  }

  private void stepping() {
    cpu.systemFlags |= Flags.TF;
  }

  /** Holds an NMI back until the first instruction has begun: it comes between its iterations. */
  private void nmiWithinFirstInstruction() {
    cpu.signal(Cpu.SIGNAL_NMI);
    cpu.shadowMovSs = true;
  }

  private void strings(long count, long destination) {
    cpu.gpr[Cpu.RCX] = count;
    cpu.gpr[Cpu.RSI] = DATA;
    cpu.gpr[Cpu.RDI] = destination;
  }

  @Test
  void aFaultPushes1() {
    assertResume(true, Cpu.UD, 0x0F, UD2);
    cpu.gpr[Cpu.RAX] = BEYOND_THE_GDT;
    assertResume(true, Cpu.GP, 0x8E, 0xD8); // MOV DS, AX
    assertResume(true, Cpu.DE, 0xF7, 0xF6); // DIV ESI, which is 0
  }

  @Test
  void aDoubleFaultPushes1() {
    cpu.idtrLimit = 8 * Cpu.GP - 1; // no gate for #GP
    cpu.gpr[Cpu.RAX] = BEYOND_THE_GDT;
    assertResume(true, Cpu.DF, 0x8E, 0xD8); // MOV DS, AX
  }

  @Test
  void anInstructionBreakpointPushes0() {
    breakpoint(BareCpu.CODE + 1, 0);
    assertResume(false, Cpu.DB, 0x90, 0x90);
    assertThat(bare.pushed(0)).isEqualTo(BareCpu.CODE + 1);
  }

  @Test
  void anInstructionBreakpointHitsAgainUntilTheHandlerSetsRf() {
    breakpoint(BareCpu.CODE, 0);
    assertThat(bare.run(0x90)).isEqualTo(Cpu.DB);
    assertThat(bare.run()).as("without RF").isEqualTo(Cpu.DB);
    cpu.systemFlags |= Flags.RF;
    assertThat(bare.run()).as("with RF").isEqualTo(-1);
  }

  @Test
  void accessToDebugRegistersUnderGeneralDetectPushes1() {
    cpu.dr[5] |= GENERAL_DETECT;
    assertResume(true, Cpu.DB, 0x0F, 0x21, 0xC0); // MOV EAX, DR0
  }

  @Test
  void trapsAfterAnInstructionPush0() {
    stepping();
    assertResume(false, Cpu.DB, 0x90);
    cpu.systemFlags &= ~Flags.TF;
    breakpoint(DATA, DR0_WRITE_1_BYTE);
    assertResume(false, Cpu.DB, 0xA2, 0x00, 0x90, 0, 0, 0x90); // MOV [DATA], AL
  }

  @Test
  void softwareInterruptsPush0EvenIfTheyBeginWithRf() {
    cpu.setEflags(Flags.RF | Flags.OF);
    assertResume(false, VECTOR, 0xCD, VECTOR);
    cpu.setEflags(Flags.RF | Flags.OF);
    assertResume(false, Cpu.BP, 0xCC);
    cpu.setEflags(Flags.RF | Flags.OF);
    assertResume(false, Cpu.OF, 0xCE);
    cpu.setEflags(Flags.RF);
    assertResume(false, Cpu.DB, 0xF1); // INT1
  }

  @Test
  void anInterruptBetweenInstructionsPushesWhatRfIs() {
    cpu.acknowledgedInterrupt = VECTOR;
    assertResume(false, VECTOR, 0x90);
    cpu.acknowledgedInterrupt = VECTOR;
    cpu.systemFlags |= Flags.RF; // as IRET has left it
    assertResume(true, VECTOR, 0x90);
    cpu.signal(Cpu.SIGNAL_NMI);
    assertResume(false, Cpu.NMI, 0x90);
  }

  @Test
  void aTrapAfterAnInterruptReturnPushesTheRfThatItLoaded() {
    cpu.idtrLimit = 0xFF;
    bare.code(
        0x68, 0x02, 0x00, 0x01, 0x00, // PUSH RF
        0x6A, 0x08, // PUSH CS
        0x68, 0x00, 0x90, 0x00, 0x00, // PUSH DATA
        0x9C, 0x80, 0x4C, 0x24, 0x01, 0x01, 0x9D, // PUSHF; OR byte [ESP + 1], 1; POPF: TF
        0xCF); // IRET
    cpu.gpr[Cpu.RSP] = BareCpu.STACK;

    assertThat(bare.run()).isEqualTo(Cpu.DB);

    assertThat(bare.pushed(0)).isEqualTo(DATA);
    assertThat(bare.pushed(2) & Flags.RF).isNotZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {0xA4, 0xA6, 0xAA, 0xAC, 0xAE, 0x6C, 0x6E})
  void aStepWithinARepeatedInstructionPushes1AndTheLastOnePushes0(int opcode) {
    strings(2, DATA + 0x800);
    bare.put8(DATA, 0);
    bare.put8(DATA + 0x800, 0);
    cpu.gpr[Cpu.RAX] = 0;
    stepping();
    assertResume(true, Cpu.DB, 0xF3, opcode);
    assertThat(cpu.gpr[Cpu.RCX]).isEqualTo(1);
    stepping();
    assertResume(false, Cpu.DB, 0xF3, opcode);
    assertThat(cpu.gpr[Cpu.RCX]).isZero();
  }

  @Test
  void aDataBreakpointWithinARepeatedInstructionPushes1() {
    breakpoint(DATA + 0x801, DR0_WRITE_1_BYTE);
    strings(3, DATA + 0x800);
    assertResume(true, Cpu.DB, 0xF3, 0xAA);
    assertThat(cpu.gpr[Cpu.RCX]).isEqualTo(1);
    strings(2, DATA + 0x800);
    assertResume(false, Cpu.DB, 0xF3, 0xAA);
    assertThat(cpu.gpr[Cpu.RCX]).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {0xA4, 0xAA, 0xAC, 0x6C, 0x6E})
  void anInterruptWithinARepeatedInstructionPushes1(int opcode) {
    strings(0x4000, 0x2_0000);
    nmiWithinFirstInstruction();
    assertResume(true, Cpu.NMI, 0xF3, opcode);
    assertThat(cpu.gpr[Cpu.RCX]).isBetween(1L, 0x3FFFL);
    assertThat(bare.pushed(0)).isEqualTo(BareCpu.CODE);
  }

  @Test
  void anInterruptAfterTheLastIterationPushes0() {
    strings(0x10, 0x2_0000);
    nmiWithinFirstInstruction();
    assertResume(false, Cpu.NMI, 0xF3, 0xAA);
    assertThat(cpu.gpr[Cpu.RCX]).isZero();
  }

  /** What the processor looks at between iterations makes no event: RF was used once. */
  @ParameterizedTest
  @ValueSource(ints = {0xAA, 0x6E})
  void aRepeatedInstructionPassesItsBreakpointOnce(int opcode) {
    breakpoint(BareCpu.CODE, 0);
    bare.host.onWrite = () -> cpu.signal(Cpu.SIGNAL_INTERRUPT);
    strings(0x3000, TestHost.MEMORY_BYTES); // MMIO
    cpu.systemFlags |= Flags.RF;

    assertThat(bare.run(0xF3, opcode)).isEqualTo(-1);

    assertThat(cpu.gpr[Cpu.RCX]).isZero();
    assertThat(cpu.systemFlags & Flags.RF).isZero();
  }
}
