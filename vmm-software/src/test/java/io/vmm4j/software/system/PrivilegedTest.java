package io.vmm4j.software.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.backend.MsrState;
import io.vmm4j.software.TestHost;
import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import io.vmm4j.x86.ControlBits;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Control and debug registers, MSRs, CPUID, ports and flags. */
class PrivilegedTest {
  private static final int EFER = 0xC0000080;

  private static void writeMsr(Guest g, int index, long value) {
    g.cpu.gpr[Cpu.RCX] = index & 0xFFFFFFFFL;
    g.cpu.gpr[Cpu.RAX] = value & 0xFFFFFFFFL;
    g.cpu.gpr[Cpu.RDX] = value >>> 32;
    g.execute(0x130);
  }

  private static long readMsr(Guest g, int index) {
    g.cpu.gpr[Cpu.RCX] = index & 0xFFFFFFFFL;
    g.execute(0x132);
    return g.cpu.gpr[Cpu.RDX] << 32 | g.cpu.gpr[Cpu.RAX];
  }

  private static final int[] SGDT_SIDT_SMSW = {0, 1, 4};

  private static void storeTo(Guest g, int opcode, int extension) {
    g.execute(
        opcode,
        in -> {
          in.isMemory = true;
          in.modrm = extension << 3;
          in.base = Cpu.RBX;
        });
  }

  @Test
  void userModeInstructionPreventionKeepsTablesFromOuterRings() {
    for (Guest g : List.of(Guest.protectedMode(), Guest.longMode())) {
      g.cpu.gpr[Cpu.RBX] = 0xE000;
      g.flat(3);
      for (boolean prevented : new boolean[] {false, true}) {
        g.cpu.cr4 |= prevented ? ControlBits.CR4_UMIP : 0;
        for (int extension : SGDT_SIDT_SMSW) {
          assertStores(g, 0x101, extension, prevented);
        }
        assertStores(g, 0x100, 0, prevented); // SLDT
        assertStores(g, 0x100, 1, prevented); // STR
      }
      g.flat(0);
      for (int extension : SGDT_SIDT_SMSW) {
        assertStores(g, 0x101, extension, false);
      }
    }
  }

  private static void assertStores(Guest g, int opcode, int extension, boolean prevented) {
    if (prevented) {
      assertThat(g.errorOf(Cpu.GP, () -> storeTo(g, opcode, extension))).isZero();
    } else {
      storeTo(g, opcode, extension);
    }
  }

  @Test
  void userModeInstructionPreventionHoldsInVirtual8086Mode() {
    Guest g = Guest.protectedMode();
    g.cpu.cr4 |= ControlBits.CR4_UMIP;
    g.cpu.cpl = 3;
    g.cpu.setEflags(Flags.VM);
    for (int extension : SGDT_SIDT_SMSW) {
      assertStores(g, 0x101, extension, true);
    }
    g.errorOf(Cpu.UD, () -> storeTo(g, 0x100, 0));
  }

  @Test
  void cr4HasUmipWhereCpuidClaimsIt() {
    Guest g = Guest.protectedMode();
    assertThat(g.errorOf(Cpu.GP, () -> ControlRegisters.write(g.cpu, 4, ControlBits.CR4_UMIP)))
        .isZero();
    TestHost host = new TestHost(CpuVendor.INTEL, Set.of(CpuFeature.UMIP));
    Cpu cpu = new Cpu(0, host);
    cpu.system.powerOn();
    ControlRegisters.write(cpu, 4, ControlBits.CR4_UMIP);
    assertThat(cpu.cr4).isEqualTo(ControlBits.CR4_UMIP);
  }

  // ---- control registers ----

  @Test
  void cr0RefusesInconsistentBits() {
    Guest g = Guest.protectedMode();

    assertThat(g.errorOf(Cpu.GP, () -> ControlRegisters.write(g.cpu, 0, 0x80000010L))).isZero();
    assertThat(g.errorOf(Cpu.GP, () -> ControlRegisters.write(g.cpu, 0, 0x20000011L))).isZero();
    assertThat(g.errorOf(Cpu.GP, () -> ControlRegisters.write(g.cpu, 0, 1L << 32 | 1))).isZero();
    assertThat(g.cpu.cr0).isEqualTo(0x11);
  }

  @Test
  void longModeBeginsWithPagingAndCannotLosePae() {
    Guest g = Guest.longMode();

    assertThat(g.cpu.efer & 0x400).isNotZero();
    assertThat(g.cpu.codeSize).isEqualTo(8);
    assertThat(g.errorOf(Cpu.GP, () -> ControlRegisters.write(g.cpu, 4, 0))).isZero();
    assertThat(g.errorOf(Cpu.GP, () -> ControlRegisters.write(g.cpu, 0, 0x11))).isZero();
    assertThat(g.errorOf(Cpu.GP, () -> writeMsr(g, EFER, 0x401))).isZero();
  }

  @Test
  void longModeWithoutPaeIsRefused() {
    Guest g = Guest.protectedMode();
    writeMsr(g, EFER, 0x100);

    assertThat(g.errorOf(Cpu.GP, () -> ControlRegisters.write(g.cpu, 0, 0x80000011L))).isZero();
  }

  @Test
  void paePointersWithReservedBitsAreRefused() {
    Guest g = Guest.protectedMode();
    ControlRegisters.write(g.cpu, 4, 0x20);
    g.put64(0x4000, 0x5003); // the writable bit is reserved here

    ControlRegisters.write(g.cpu, 3, 0x4000);
    assertThat(g.errorOf(Cpu.GP, () -> ControlRegisters.write(g.cpu, 0, 0x80000011L))).isZero();
    g.put64(0x4000, 0x5001);
    ControlRegisters.write(g.cpu, 0, 0x80000011L);
    assertThat(g.cpu.cr0 & 0x80000000L).isNotZero();
  }

  @Test
  void pcidNeedsLongModeAndAZeroPcid() {
    Guest g = Guest.longMode();
    long pcid = 1 << 17 | 0x20;

    ControlRegisters.write(g.cpu, 3, 0x10001);
    assertThat(g.errorOf(Cpu.GP, () -> ControlRegisters.write(g.cpu, 4, pcid))).isZero();
    assertThat(g.errorOf(Cpu.GP, () -> ControlRegisters.write(g.cpu, 3, 1L << 63 | 0x10000)))
        .isZero();
    ControlRegisters.write(g.cpu, 3, 0x10000);
    ControlRegisters.write(g.cpu, 4, pcid);
    ControlRegisters.write(g.cpu, 3, 1L << 63 | 0x10001);
    assertThat(g.cpu.cr3).isEqualTo(0x10001);
  }

  @Test
  void controlBitsThatCpuidDoesNotClaimAreReserved() {
    Guest g = Guest.longMode();

    for (int bit : new int[] {12, 13, 14, 15, 19, 22, 24, 31}) {
      long value = g.cpu.cr4 | 1L << bit;
      assertThat(g.errorOf(Cpu.GP, () -> ControlRegisters.write(g.cpu, 4, value)))
          .as("bit %d", bit)
          .isZero();
    }
  }

  @Test
  void lmswSetsPeAndCannotClearIt() {
    Guest g = Guest.protectedMode();

    ControlRegisters.loadStatusWord(g.cpu, 8);

    assertThat(g.cpu.cr0).isEqualTo(0x19);
  }

  @Test
  void cr8IsTheTaskPriority() {
    Guest g = Guest.longMode();

    ControlRegisters.write(g.cpu, 8, 5);

    assertThat(g.cpu.apic.taskPriority()).isEqualTo(0x50);
    assertThat(g.errorOf(Cpu.GP, () -> ControlRegisters.write(g.cpu, 8, 16))).isZero();
  }

  @Test
  void generalDetectFaultsOnAccessToADebugRegister() {
    Guest g = Guest.protectedMode();
    DebugRegisters.write(g.cpu, 7, 1 << 13);

    assertThat(g.errorOf(Cpu.DB, () -> DebugRegisters.read(g.cpu, 0))).isEqualTo(-1);
    assertThat(g.cpu.dr[4] & 1 << 13).isNotZero();
  }

  @Test
  void dr4IsDr6UntilDebuggingExtensionsAreOn() {
    Guest g = Guest.protectedMode();

    assertThat(DebugRegisters.read(g.cpu, 4)).isEqualTo(0xFFFF0FF0L);
    ControlRegisters.write(g.cpu, 4, 8);
    assertThat(g.errorOf(Cpu.UD, () -> DebugRegisters.read(g.cpu, 4))).isEqualTo(-1);
  }

  // ---- MSRs ----

  @Test
  void msrsThatDoNotExistFault() {
    Guest g = Guest.longMode();

    assertThat(g.errorOf(Cpu.GP, () -> readMsr(g, 0x1234))).isZero();
    assertThat(g.errorOf(Cpu.GP, () -> writeMsr(g, 0x4000_0000, 1))).isZero();
    assertThat(g.errorOf(Cpu.GP, () -> writeMsr(g, 0xFE, 1))).isZero();
    g.flat(3);
    assertThat(g.errorOf(Cpu.GP, () -> readMsr(g, EFER))).isZero();
  }

  @Test
  void addressesInMsrsHaveToBeCanonical() {
    Guest g = Guest.longMode();

    for (int index : new int[] {0x175, 0x176, 0xC0000082, 0xC0000083, 0xC0000100, 0xC0000102}) {
      assertThat(g.errorOf(Cpu.GP, () -> writeMsr(g, index, 1L << 47))).isZero();
      writeMsr(g, index, -1L << 47);
      assertThat(readMsr(g, index)).isEqualTo(-1L << 47);
    }
  }

  @Test
  void patTakesOnlyMemoryTypes() {
    Guest g = Guest.longMode();

    assertThat(g.errorOf(Cpu.GP, () -> writeMsr(g, 0x277, 2))).isZero();
    writeMsr(g, 0x277, 0x0007_0106_0007_0406L);
    assertThat(readMsr(g, 0x277)).isEqualTo(0x0007_0106_0007_0406L);
  }

  @Test
  void tscFollowsTheClockAndItsAdjustment() {
    Guest g = Guest.longMode();
    g.host.advance(1000);
    assertThat(g.cpu.system.msrs.tsc()).isEqualTo(1000);

    writeMsr(g, 0x10, 5000);
    assertThat(readMsr(g, 0x3B)).isEqualTo(4000);
    writeMsr(g, 0x3B, 0);
    assertThat(g.cpu.system.msrs.tsc()).isEqualTo(1000);
  }

  @Test
  void savedMsrsAreInOrderAndComeBack() {
    Guest g = Guest.longMode();
    writeMsr(g, 0xC0000082, 0x1234);
    writeMsr(g, 0x277, 0x0606_0606_0606_0606L);
    List<MsrState> saved = g.cpu.system.msrs.save();

    Guest other = Guest.longMode();
    other.cpu.system.msrs.restore(saved);

    assertThat(other.cpu.system.msrs.save()).isEqualTo(saved);
    assertThat(saved)
        .extracting(m -> m.index() & 0xFFFFFFFFL)
        .isSorted()
        .contains(0xC0000080L, 0x1BL, 0x6E0L);
  }

  @Test
  void savedMsrThatDoesNotExistIsNamed() {
    Guest g = Guest.longMode();

    assertThatThrownBy(() -> g.cpu.system.msrs.restore(List.of(new MsrState(0x4321, 7))))
        .isInstanceOf(SnapshotException.Incompatible.class)
        .hasMessageContaining("0x4321");
  }

  // ---- CPUID and random numbers ----

  @Test
  void cpuidBeyondTheHighestLeafGivesTheHighestBasicOne() {
    Guest g = Guest.longMode();
    g.cpu.gpr[Cpu.RAX] = 0x1000;
    g.cpu.gpr[Cpu.RCX] = 0;

    g.execute(0x1A2);

    assertThat(g.cpu.gpr[Cpu.RAX]).isEqualTo(3);
    assertThat(g.cpu.gpr[Cpu.RBX]).isEqualTo(576);
  }

  @Test
  void osxsaveFollowsCr4() {
    Guest g = Guest.longMode();
    ControlRegisters.write(g.cpu, 4, 0x40020);
    g.cpu.gpr[Cpu.RAX] = 1;

    g.execute(0x1A2);

    assertThat(g.cpu.gpr[Cpu.RCX] & 1 << 27).isNotZero();
  }

  @Test
  void randomNumbersRepeatForAnEqualSeedAndState() {
    Guest first = Guest.longMode();
    Guest second = Guest.longMode();

    for (int i = 0; i < 10; i++) {
      long before = first.cpu.gpr[Cpu.RAX];
      first.execute(0x1C7, in -> in.modrm = 0xF0);
      second.execute(0x1C7, in -> in.modrm = 0xF0);
      assertThat(first.cpu.gpr[Cpu.RAX]).isNotEqualTo(before).isEqualTo(second.cpu.gpr[Cpu.RAX]);
      assertThat(first.flag(Flags.CF)).isTrue();
    }
  }

  // ---- ports ----

  @Test
  void portsOfRing3AreAllowedByTheTaskStateSegment() {
    Guest g = Guest.protectedMode();
    g.segment(Guest.FREE, Guest.TSS, 0x89, 0);
    Segmentation.loadTask(g.cpu, Guest.FREE);
    g.put32(Guest.TSS + 0x64, 0x68 << 16);
    g.put32(Guest.TSS + 0x68 + 0x40, ~0x6); // ports 0x201 and 0x202
    g.flat(3);

    g.cpu.gpr[Cpu.RDX] = 0x201;
    g.execute(0xEE);
    g.execute(0xEF, in -> in.operandSize = 2);
    assertThat(g.host.portWrites).containsExactly("201:1=0", "201:2=0");
    assertThat(g.errorOf(Cpu.GP, () -> g.execute(0xEF, in -> in.operandSize = 4))).isZero();
    g.cpu.gpr[Cpu.RDX] = 0x200;
    assertThat(g.errorOf(Cpu.GP, () -> g.execute(0xEC))).isZero();
  }

  @Test
  void repeatedInsStopsForAnInterruptWithItsRegistersAdvanced() {
    Guest g = Guest.protectedMode();
    g.cpu.gpr[Cpu.RCX] = 3;
    g.cpu.gpr[Cpu.RDI] = 0x6000;
    g.cpu.gpr[Cpu.RDX] = 0x1F0;
    g.cpu.currentRip = 0xABC;
    g.cpu.signal(Cpu.SIGNAL_INTERRUPT);

    g.execute(0x6D, in -> in.repeat = 0xF3);
    assertThat(g.cpu.gpr[Cpu.RCX]).isEqualTo(2);
    assertThat(g.cpu.rip).isEqualTo(0xABC);

    g.cpu.clearSignal(-1);
    g.execute(0x6D, in -> in.repeat = 0xF3);
    assertThat(g.cpu.gpr[Cpu.RCX]).isZero();
    assertThat(g.cpu.gpr[Cpu.RDI]).isEqualTo(0x600C);
    assertThat(g.get32(0x6008)).isEqualTo(0x12345678);
  }

  // ---- flags ----

  @Test
  void popfInRing3LeavesIfAndIopl() {
    Guest g = Guest.protectedMode();
    g.flat(3);
    g.put32(Guest.STACK3, -1);

    g.execute(0x9D);

    assertThat(g.flag(Flags.IF)).isFalse();
    assertThat(g.cpu.iopl()).isZero();
    assertThat(g.flag(Flags.AC)).isTrue();
    assertThat(g.flag(Flags.VM)).isFalse();
  }

  @Test
  void stiShadowsOnlyWhenItEnables() {
    Guest g = Guest.protectedMode();

    g.execute(0xFB);
    assertThat(g.cpu.shadowSti).isTrue();
    g.cpu.shadowSti = false;
    g.execute(0xFB);
    assertThat(g.cpu.shadowSti).isFalse();
    g.flat(3);
    assertThat(g.errorOf(Cpu.GP, () -> g.execute(0xFA))).isZero();
  }

  @Test
  void privilegedInstructionsFaultInRing3() {
    Guest g = Guest.longMode();
    g.flat(3);

    for (int opcode : new int[] {0xF4, 0x106, 0x108, 0x109, 0x130, 0x132}) {
      assertThat(g.errorOf(Cpu.GP, () -> g.execute(opcode))).as("%x", opcode).isZero();
    }
  }

  @Test
  void swapgsExchangesTheBases() {
    Guest g = Guest.longMode();
    writeMsr(g, 0xC0000101, 0x1000);
    writeMsr(g, 0xC0000102, 0x2000);

    g.execute(0x101, in -> in.modrm = 0xF8);

    assertThat(g.cpu.segBase[Cpu.GS]).isEqualTo(0x2000);
    assertThat(readMsr(g, 0xC0000102)).isEqualTo(0x1000);
  }
}
