package io.vmm4j.software.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Hardware task switches: Intel SDM volume 3, 7.3. */
class TaskSwitchTest {
  private static final int OTHER_TSS = 0x3400;
  private static final int OTHER = Guest.FREE;
  private static final int TASK_GATE = Guest.FREE + 8;

  private final Guest g = Guest.protectedMode();

  @BeforeEach
  void makeAnotherTask() {
    g.put64(Guest.GDT + OTHER, 0x0000_8900_0000_0067L | (long) OTHER_TSS << 16);
    g.put64(Guest.GDT + TASK_GATE, 0x0000_8500_0000_0000L | (long) OTHER << 16);
    g.put32(OTHER_TSS + 0x20, 0x6000);
    g.put32(OTHER_TSS + 0x24, 2 | Flags.CF);
    g.put32(OTHER_TSS + 0x28, 0xAAAA);
    g.put32(OTHER_TSS + 0x38, 0x7000);
    for (int i = 0; i < 6; i++) {
      g.put32(OTHER_TSS + 0x48 + 4 * i, i == 1 ? Guest.CODE0 : Guest.DATA0);
    }
  }

  private void far(int opcode, int selector) {
    g.execute(opcode, in -> in.imm2 = selector);
  }

  private int typeOf(int selector) {
    return (int) (g.get64(Guest.GDT + selector) >>> 40) & 15;
  }

  @Test
  void jumpSavesTheOldTaskAndFreesIt() {
    g.cpu.gpr[Cpu.RBX] = 0x5555;

    far(0xEA, OTHER);

    assertThat(g.cpu.rip).isEqualTo(0x6000);
    assertThat(g.cpu.gpr[Cpu.RAX]).isEqualTo(0xAAAA);
    assertThat(g.rsp()).isEqualTo(0x7000);
    assertThat(g.flag(Flags.CF)).isTrue();
    assertThat(g.flag(Flags.NT)).isFalse();
    assertThat(g.get32(Guest.TSS + 0x34)).isEqualTo(0x5555);
    assertThat(g.get32(Guest.TSS + 0x20)).isEqualTo(Guest.CODE);
    assertThat(typeOf(Guest.TASK)).isEqualTo(Descriptor.TSS_AVAILABLE);
    assertThat(typeOf(OTHER)).isEqualTo(Descriptor.TSS_BUSY);
    assertThat(g.cpu.cr0 & 8).isNotZero();
  }

  @Test
  void callNestsAndInterruptReturnComesBack() {
    g.cpu.gpr[Cpu.RBX] = 0x5555;

    far(0x9A, TASK_GATE);
    assertThat(g.flag(Flags.NT)).isTrue();
    assertThat(g.get16(OTHER_TSS)).isEqualTo(Guest.TASK);
    assertThat(typeOf(Guest.TASK)).isEqualTo(Descriptor.TSS_BUSY);

    g.execute(0xCF);
    assertThat(g.cpu.rip).isEqualTo(Guest.CODE);
    assertThat(g.cpu.gpr[Cpu.RBX]).isEqualTo(0x5555);
    assertThat(g.flag(Flags.NT)).isFalse();
    assertThat(typeOf(OTHER)).isEqualTo(Descriptor.TSS_AVAILABLE);
    assertThat(g.cpu.seg[Cpu.TR].selector).isEqualTo(Guest.TASK);
  }

  @Test
  void exceptionThroughATaskGatePushesItsErrorCodeOnTheNewStack() {
    g.put64(Guest.IDT + 8 * Cpu.DF, 0x0000_8500_0000_0000L | (long) OTHER << 16);

    g.errorOf(Cpu.GP, () -> far(0xEA, 0));
    Events.deliverFault(g.cpu); // no gate: a second #GP

    assertThat(g.cpu.rip).isEqualTo(0x6000);
    assertThat(g.rsp()).isEqualTo(0x7000 - 4);
    assertThat(g.cpu.shutdown).isFalse();
  }

  @Test
  void busyTaskCannotBeEntered() {
    assertThat(g.errorOf(Cpu.GP, () -> far(0xEA, Guest.TASK))).isEqualTo(Guest.TASK);
  }

  @Test
  void taskSegmentThatIsTooShortIsInvalid() {
    g.put64(Guest.GDT + OTHER, 0x0000_8900_0000_0066L | (long) OTHER_TSS << 16);

    assertThat(g.errorOf(Cpu.TS, () -> far(0xEA, OTHER))).isEqualTo(OTHER);
    assertThat(g.cpu.seg[Cpu.TR].selector).isEqualTo(Guest.TASK);
  }

  @Test
  void badSegmentInTheNewTaskIsAFaultOfTheNewTask() {
    g.put32(OTHER_TSS + 0x54, Guest.ABSENT_DATA);
    g.gate(Cpu.NP, Guest.CODE0, 0x8E, 0);

    far(0xEA, OTHER);

    assertThat(g.cpu.rip).isEqualTo(Guest.HANDLER);
    assertThat(g.get32(g.rsp())).isEqualTo(Guest.ABSENT_DATA);
    assertThat(g.get32(g.rsp() + 4)).isEqualTo(0x6000);
    assertThat(g.cpu.seg[Cpu.TR].selector).isEqualTo(OTHER);
  }

  /** What processors do, and the manual leaves open. */
  @Test
  void a16BitTaskHasRegistersWithUpperHalvesOfOnes() {
    g.host.memory().asSlice(OTHER_TSS, 0x68).fill((byte) 0);
    g.put64(Guest.GDT + OTHER, 0x0000_8100_0000_002BL | (long) OTHER_TSS << 16);
    g.put32(OTHER_TSS + 0x0E, 0x6000 | 2 << 16); // IP, FLAGS
    g.put32(OTHER_TSS + 0x12, 0x1234 | 0x5678 << 16); // AX, CX
    g.put32(OTHER_TSS + 0x1A, 0x7000); // SP
    g.put32(OTHER_TSS + 0x22, Guest.DATA0 | Guest.CODE0 << 16); // ES, CS
    g.put32(OTHER_TSS + 0x26, Guest.DATA0 | Guest.DATA0 << 16); // SS, DS

    far(0xEA, OTHER);

    assertThat(g.cpu.rip).isEqualTo(0x6000);
    assertThat(g.cpu.gpr[Cpu.RAX]).isEqualTo(0xFFFF_1234L);
    assertThat(g.cpu.gpr[Cpu.RCX]).isEqualTo(0xFFFF_5678L);
    assertThat(g.rsp()).isEqualTo(0xFFFF_7000L);
    assertThat(g.cpu.seg[Cpu.FS].unusable()).isTrue();
  }
}
