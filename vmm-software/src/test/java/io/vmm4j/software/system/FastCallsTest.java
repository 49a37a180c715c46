package io.vmm4j.software.system;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.backend.MsrState;
import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.Flags;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** SYSCALL, SYSRET, SYSENTER and SYSEXIT by vendor: Intel SDM volume 2, AMD APM volume 3. */
class FastCallsTest {
  private static final int SYSCALL = 0x105;
  private static final int SYSRET = 0x107;
  private static final int SYSENTER = 0x134;
  private static final int SYSEXIT = 0x135;
  private static final int STAR = 0xC0000081;
  private static final int LSTAR = 0xC0000082;
  private static final int CSTAR = 0xC0000083;
  private static final int SFMASK = 0xC0000084;
  private static final int SYSENTER_CS = 0x174;
  private static final int COMPATIBILITY = Guest.FREE;

  private static Guest withMsrs(Guest g) {
    g.cpu.system.msrs.write(0xC0000080, g.cpu.efer | 1);
    g.cpu.system.msrs.write(STAR, 0x0010_0008_0000_7000L);
    g.cpu.system.msrs.write(LSTAR, 0x5000);
    g.cpu.system.msrs.write(CSTAR, 0x6000);
    g.cpu.system.msrs.write(SFMASK, Flags.DF);
    g.cpu.system.msrs.write(SYSENTER_CS, Guest.CODE0);
    return g;
  }

  /** Ring 3 of compatibility mode, interruptible, with DF. */
  private static Guest compatibility(CpuVendor vendor) {
    Guest g = withMsrs(Guest.longMode(vendor));
    g.segment(COMPATIBILITY, 0, 0xFA, 0xC0);
    g.flat(3);
    long code = g.get64(Guest.GDT + COMPATIBILITY);
    Descriptor.fill(g.cpu.seg[Cpu.CS], COMPATIBILITY | 3, code);
    g.cpu.modeChanged();
    g.cpu.setEflags(Flags.IF | Flags.DF);
    assertThat(g.cpu.codeSize).isEqualTo(4);
    return g;
  }

  private static Guest legacy(CpuVendor vendor) {
    Guest g = withMsrs(Guest.protectedMode(vendor));
    g.flat(3);
    g.cpu.setEflags(Flags.IF | Flags.DF);
    return g;
  }

  @Test
  void intelHasSysCallIn64BitModeOnly() {
    for (Guest g : new Guest[] {compatibility(CpuVendor.INTEL), legacy(CpuVendor.INTEL)}) {
      g.errorOf(Cpu.UD, () -> g.execute(SYSCALL));
      g.flat(0);
      g.cpu.seg[Cpu.CS].attributes &= ~0x2000; // 32-bit code in ring 0
      g.cpu.seg[Cpu.CS].attributes |= 0x4000;
      g.cpu.modeChanged();
      g.errorOf(Cpu.UD, () -> g.execute(SYSRET));
    }
  }

  @Test
  void amdCallsFromCompatibilityModeThroughCstarAndReturnsThere() {
    Guest g = compatibility(CpuVendor.AMD);

    g.execute(SYSCALL);

    assertThat(g.cpu.rip).isEqualTo(0x6000);
    assertThat(g.cpu.codeSize).isEqualTo(8);
    assertThat(g.cpu.cpl).isZero();
    assertThat(g.cpu.gpr[Cpu.RCX]).isEqualTo(Guest.CODE);
    assertThat(g.cpu.gpr[11]).isEqualTo(2 | Flags.IF | Flags.DF);
    assertThat(g.cpu.eflags()).isEqualTo(2 | Flags.IF);

    g.execute(SYSRET);

    assertThat(g.cpu.cpl).isEqualTo(3);
    assertThat(g.cpu.codeSize).isEqualTo(4);
    assertThat(g.cpu.rip).isEqualTo(Guest.CODE);
    assertThat(g.cpu.seg[Cpu.CS].selector).isEqualTo(0x13);
    assertThat(g.cpu.eflags()).isEqualTo(2 | Flags.IF | Flags.DF);
  }

  @Test
  void amdCallsOutsideLongModeThroughStar() {
    Guest g = legacy(CpuVendor.AMD);
    g.cpu.gpr[11] = 0x1111;

    g.execute(SYSCALL);

    assertThat(g.cpu.rip).isEqualTo(0x7000);
    assertThat(g.cpu.codeSize).isEqualTo(4);
    assertThat(g.cpu.cpl).isZero();
    assertThat(g.cpu.seg[Cpu.CS].selector).isEqualTo(Guest.CODE0);
    assertThat(g.cpu.eflags()).isEqualTo(2 | Flags.DF);
    assertThat(g.cpu.gpr[11]).isEqualTo(0x1111);

    g.execute(SYSRET);

    assertThat(g.cpu.cpl).isEqualTo(3);
    assertThat(g.cpu.rip).isEqualTo(Guest.CODE);
    assertThat(g.cpu.eflags()).isEqualTo(2 | Flags.IF | Flags.DF);
  }

  @ParameterizedTest
  @EnumSource
  void onAmdSysRetKeepsTheHiddenPartOfSs(CpuVendor vendor) {
    Guest g = withMsrs(Guest.longMode(vendor));
    Segmentation.load(g.cpu, Cpu.SS, 0);

    g.execute(SYSRET);

    assertThat(g.cpu.seg[Cpu.SS].selector).isEqualTo(0x1B);
    assertThat(g.cpu.seg[Cpu.SS].unusable()).isEqualTo(vendor == CpuVendor.AMD);
    assertThat(g.cpu.seg[Cpu.SS].dpl()).isEqualTo(3);
    assertThat(g.cpu.cpl).isEqualTo(3);
  }

  @Test
  void amdLeavesATargetThatIsNotCanonicalToRing3() {
    Guest g = withMsrs(Guest.longMode(CpuVendor.AMD));
    g.cpu.gpr[Cpu.RCX] = 1L << 47;

    g.execute(SYSRET, in -> in.rexW = true);

    assertThat(g.cpu.cpl).isEqualTo(3);
    assertThat(g.cpu.rip).isEqualTo(1L << 47);
    assertThat(g.errorOf(Cpu.GP, () -> g.cpu.mmu.read8(g.cpu.rip))).isZero();
  }

  @Test
  void amdHasSysEnterOutsideLongModeOnly() {
    Guest wide = withMsrs(Guest.longMode(CpuVendor.AMD));
    wide.errorOf(Cpu.UD, () -> wide.execute(SYSEXIT));
    wide.flat(3);
    wide.errorOf(Cpu.UD, () -> wide.execute(SYSENTER));
    Guest compatible = compatibility(CpuVendor.AMD);
    compatible.errorOf(Cpu.UD, () -> compatible.execute(SYSENTER));

    Guest g = legacy(CpuVendor.AMD);
    g.execute(SYSENTER);
    assertThat(g.cpu.cpl).isZero();
    g.execute(SYSEXIT);
    assertThat(g.cpu.cpl).isEqualTo(3);
  }

  @Test
  void intelHasSysEnterInLongModeToo() {
    Guest g = compatibility(CpuVendor.INTEL);
    g.execute(SYSENTER);
    assertThat(g.cpu.codeSize).isEqualTo(8);
    g.execute(SYSEXIT);
    assertThat(g.cpu.codeSize).isEqualTo(4);
  }

  @ParameterizedTest
  @EnumSource
  void withoutSceThereIsNoSysCall(CpuVendor vendor) {
    Guest g = legacy(vendor);
    g.cpu.efer &= ~1L;
    g.errorOf(Cpu.UD, () -> g.execute(SYSCALL));
  }

  // ---- what else is by vendor ----

  private static long[] cpuid(Guest g, int leaf) {
    g.cpu.gpr[Cpu.RAX] = leaf & 0xFFFF_FFFFL;
    g.cpu.gpr[Cpu.RCX] = 0;
    g.execute(0x1A2);
    return new long[] {
      g.cpu.gpr[Cpu.RAX], g.cpu.gpr[Cpu.RBX], g.cpu.gpr[Cpu.RCX], g.cpu.gpr[Cpu.RDX]
    };
  }

  @ParameterizedTest
  @EnumSource
  void cpuidTellsOfSysCallWhereItIs(CpuVendor vendor) {
    boolean everywhere = vendor == CpuVendor.AMD;
    assertThat(cpuid(Guest.longMode(vendor), 0x8000_0001)[3] >> 11 & 1).isEqualTo(1);
    assertThat(cpuid(Guest.protectedMode(vendor), 0x8000_0001)[3] >> 11 & 1)
        .isEqualTo(everywhere ? 1 : 0);
  }

  @Test
  void beyondTheHighestLeafIntelGivesTheHighestBasicOneAndAmdZeros() {
    Guest intel = Guest.longMode(CpuVendor.INTEL);
    assertThat(cpuid(intel, 0x20)).isEqualTo(cpuid(intel, 0xD));
    assertThat(cpuid(Guest.longMode(CpuVendor.AMD), 0x20)).containsOnly(0);
  }

  @ParameterizedTest
  @EnumSource
  void larGivesTheUpperBitsOfTheLimitOnAmd(CpuVendor vendor) {
    Guest g = Guest.protectedMode(vendor);
    g.cpu.gpr[Cpu.RDX] = Guest.DATA0;
    g.execute(
        0x102,
        in -> {
          in.rm = Cpu.RDX;
          in.reg = Cpu.RAX;
        });
    assertThat(g.cpu.gpr[Cpu.RAX]).isEqualTo(vendor == CpuVendor.AMD ? 0xCF9200 : 0xC09200);
  }

  @Test
  void amdHasItsConfigurationRegisters() {
    int[] registers = {0xC0010010, 0xC0010015, 0xC001001F}; // SYSCFG, HWCR, NB_CFG
    long[] values = {0, 1 << 24, 1L << 46};
    Guest amd = Guest.longMode(CpuVendor.AMD);
    amd.cpu.system.msrs.write(0xC001001F, 1L << 46);
    amd.errorOf(Cpu.GP, () -> amd.cpu.system.msrs.write(0xC001001F, 1));
    Guest intel = Guest.longMode(CpuVendor.INTEL);
    for (int i = 0; i < registers.length; i++) {
      int register = registers[i];
      assertThat(amd.cpu.system.msrs.read(register)).isEqualTo(values[i]);
      intel.errorOf(Cpu.GP, () -> intel.cpu.system.msrs.read(register));
    }
    assertThat(amd.cpu.system.msrs.save()).contains(new MsrState(0xC001001F, 1L << 46));
  }
}
