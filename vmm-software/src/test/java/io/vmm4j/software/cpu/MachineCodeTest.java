package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vmm4j.software.machinecode.MachineCode;
import io.vmm4j.software.machinecode.MachineCodeRunner;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What machine code does where the interpreter's tests would pass without it. */
class MachineCodeTest {
  /** As far apart as two pages are that share an entry of the data translations. */
  private static final int SHARES_AN_ENTRY = Tlb.ENTRIES * 0x1000;

  private static final int HERE = 0x10_0000;

  /** MOV ECX, 100000; next: ADD RAX, RCX; DEC ECX; JNZ next. */
  private static final int[] LOOP = {
    0xB9, 0xA0, 0x86, 1, 0, 0x48, 0x01, 0xC8, 0xFF, 0xC9, 0x75, 0xF9
  };

  private final BareCpu bare = BareCpu.withCodeSize(8);
  private final Cpu cpu = bare.cpu;
  private MachineCode code;
  private MachineCodeRunner runner;
  private RunLoop loop;

  @BeforeEach
  void translates() {
    assumeTrue(MachineCode.missing().isEmpty(), "no machine code here");
    code = MachineCode.open(bare.host);
    runner = code.runner(cpu);
    loop = new RunLoop(cpu, runner);
  }

  private long counted(String name) {
    Map<String, Long> counters = new LinkedHashMap<>();
    code.count(counters);
    return counters.get(name);
  }

  private void run(long mostInstructions, int... bytes) {
    bare.code(bytes);
    cpu.rip = BareCpu.CODE;
    cpu.gpr[Cpu.RSP] = BareCpu.STACK;
    loop.run(mostInstructions);
  }

  @Test
  void aLoopIsTranslatedAndCountsItsInstructions() {
    aLoopRuns();

    assertThat(cpu.instructions).isEqualTo(1 + 3 * 100_000 + 1);
    assertThat(counted("codeTranslations")).isPositive();
    assertThat(counted("interpretedInstructions")).isLessThan(100);
  }

  @Test
  void theBudgetEndsAtTheInstruction() {
    for (int most = 1; most < 50; most++) {
      cpu.gpr[Cpu.RAX] = 0;
      long before = cpu.instructions;
      // next: INC RAX; NOP; JMP next
      run(100_000 + most, 0x48, 0xFF, 0xC0, 0x90, 0xEB, 0xFA);

      assertThat(cpu.instructions - before).isEqualTo(100_000 + most);
      assertThat(cpu.gpr[Cpu.RAX]).isEqualTo((100_000 + most + 2) / 3);
    }
  }

  @Test
  void twoAccessesWhosePagesShareAnEntryComeToAnEnd() {
    cpu.gpr[Cpu.RSI] = HERE;
    cpu.gpr[Cpu.RDI] = HERE + SHARES_AN_ENTRY;
    bare.put64(HERE, 0x1122_3344_5566_7788L);
    // MOV ECX, 1000; next: MOVSQ; SUB RSI, 8; SUB RDI, 8; DEC ECX; JNZ next
    run(
        100_000, 0xB9, 0xE8, 3, 0, 0, 0x48, 0xA5, 0x48, 0x83, 0xEE, 8, 0x48, 0x83, 0xEF, 8, 0xFF,
        0xC9, 0x75, 0xF2);

    assertThat(cpu.halted).isTrue();
    assertThat(bare.get32(HERE + SHARES_AN_ENTRY + 4)).isEqualTo(0x1122_3344);
  }

  @Test
  void codeThatIsWrittenOverIsVoid() {
    // MOV EDX, 2; again: MOV ECX, 100; next: ADD RBX, 1 (CODE + 13); DEC ECX; JNZ next;
    // MOV byte [CODE + 13], 5; DEC EDX; JNZ again
    run(
        100_000, 0xBA, 2, 0, 0, 0, 0xB9, 100, 0, 0, 0, 0x48, 0x83, 0xC3, 1, 0xFF, 0xC9, 0x75, 0xF8,
        0xC6, 0x04, 0x25, 0x0D, 0x80, 0, 0, 5, 0xFF, 0xCA, 0x75, 0xE7);

    assertThat(cpu.halted).isTrue();
    assertThat(cpu.gpr[Cpu.RBX]).isEqualTo(100 * 1 + 100 * 5);
    assertThat(counted("codeInvalidations")).isPositive();
  }

  @Test
  void itMayBeClosedTwice() {
    code.close();
    MachineCode another = MachineCode.open(bare.host);

    code.close(); // must leave alone what lies where its memory was

    loop = new RunLoop(cpu, another.runner(cpu));
    aLoopRuns();
    another.close();
  }

  @Test
  void aSecondMachineHasTheCodeOfTheFirst() {
    KnownBlocks known = new KnownBlocks(1 << 20);
    for (int machine = 0; machine < 2; machine++) {
      BareCpu one = BareCpu.sharing(known);
      code = MachineCode.open(one.host, known);
      if (machine == 1) {
        // So that its code lies elsewhere, under other numbers.
        runOn(one, 0xB9, 40, 0, 0, 0, 0x90, 0x90, 0xFF, 0xC9, 0x75, 0xFA);
      }
      long made = counted("codeTranslations");
      runOn(one, LOOP);

      assertThat(one.cpu.gpr[Cpu.RAX]).isEqualTo(100_000L * 100_001 / 2);
      assertThat(counted("codeTranslations") - made > 0).isEqualTo(machine == 0);
      assertThat(counted("codeReused") > 0).isEqualTo(machine == 1);
      code.close();
    }
  }

  @Test
  void codeThatIsKnownIsNotTakenForOtherBytes() {
    KnownBlocks known = new KnownBlocks(1 << 20);
    for (int added : new int[] {0x01, 0x29, 0x09}) { // ADD, SUB, OR of RCX
      BareCpu one = BareCpu.sharing(known);
      code = MachineCode.open(one.host, known);
      int[] loop = LOOP.clone();
      loop[6] = added;
      runOn(one, loop);

      long sum = 100_000L * 100_001 / 2;
      long expected = added == 0x01 ? sum : added == 0x29 ? -sum : 0x1FFFF;
      assertThat(one.cpu.gpr[Cpu.RAX]).isEqualTo(expected);
      code.close();
    }
  }

  @Test
  void onlyFewBlocksAreKept() {
    KnownBlocks known = new KnownBlocks(20_000);
    BareCpu one = BareCpu.sharing(known);
    code = MachineCode.open(one.host, known);
    runOn(one, LOOP);
    KnownBlock kept = known.find(one.host.memory(), BareCpu.CODE + 5, 8);
    assertThat(kept).isNotNull();
    for (int i = 0; i < 100; i++) {
      // MOV ECX, 20; next: ADD EBX, i; DEC ECX; JNZ next
      runOn(one, 0xB9, 20, 0, 0, 0, 0x83, 0xC3, i, 0xFF, 0xC9, 0x75, 0xF9);
    }
    one.code(LOOP);

    assertThat(known.find(one.host.memory(), BareCpu.CODE + 5, 8)).isNull();
    code.close();
  }

  private void runOn(BareCpu machine, int... bytes) {
    machine.code(bytes);
    machine.cpu.rip = BareCpu.CODE;
    machine.cpu.halted = false;
    machine.cpu.gpr[Cpu.RAX] = 0;
    new RunLoop(machine.cpu, code.runner(machine.cpu)).run(1_000_000);
    assertThat(machine.cpu.halted).isTrue();
  }

  private void aLoopRuns() {
    run(1_000_000, LOOP);

    assertThat(cpu.halted).isTrue();
    assertThat(cpu.gpr[Cpu.RAX]).isEqualTo(100_000L * 100_001 / 2);
  }

  @Test
  void whereCodeMemoryIsFullAllCodeGoes() {
    code = MachineCode.open(bare.host, 1 << 18);
    loop = new RunLoop(cpu, code.runner(cpu));
    // 3000 blocks, each JMP to the next, all of them a hundred times over; DEC ECX; JNZ the first
    int blocks = 3000;
    int at = HERE;
    for (int i = 0; i < blocks; i++, at += 5) {
      bare.put8(at, 0x48);
      bare.put8(at + 1, 0xFF);
      bare.put8(at + 2, 0xC0); // INC RAX
      bare.put8(at + 3, 0xEB);
      bare.put8(at + 4, 0);
    }
    bare.put8(at, 0xFF);
    bare.put8(at + 1, 0xC9);
    bare.put8(at + 2, 0x0F);
    bare.put8(at + 3, 0x85);
    int back = HERE - (at + 8);
    for (int i = 0; i < 4; i++) {
      bare.put8(at + 4 + i, back >> 8 * i);
    }
    bare.put8(at + 8, 0xF4);
    // MOV ECX, 100; JMP HERE
    int jump = HERE - (BareCpu.CODE + 10);
    run(10_000_000, 0xB9, 100, 0, 0, 0, 0xE9, jump, jump >> 8, jump >> 16, jump >> 24);

    assertThat(cpu.halted).isTrue();
    assertThat(cpu.gpr[Cpu.RAX]).isEqualTo(100L * blocks);
    assertThat(counted("codeEvictions")).isPositive();
  }
}
