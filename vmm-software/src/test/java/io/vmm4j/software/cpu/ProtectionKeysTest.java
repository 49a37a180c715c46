package io.vmm4j.software.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.backend.CpuFeature;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Protection keys: Intel SDM volume 3, 4.6.2 and 4.7; volume 2, RDPKRU and WRPKRU. */
class ProtectionKeysTest {
  private static final int NONE = -1;
  private static final long LARGE_PAGE = 2 << 20;
  private static final long USER_PAGE = 2 * LARGE_PAGE;
  private static final long SUPERVISOR_PAGE = 3 * LARGE_PAGE;
  private static final int USER = 4;
  private static final int WRITABLE = 2;
  private static final int KEY = 5;
  private static final int ACCESS_DISABLE = 1 << 2 * KEY;
  private static final int WRITE_DISABLE = 2 << 2 * KEY;
  private static final int CR4_OSXSAVE = 1 << 18;
  private static final int CR4_PKE = 1 << 22;
  private static final int CR4_PKS = 1 << 24;
  private static final long CR0_WP = 1 << 16;
  private static final int MSR_PKRS = 0x6E1;
  private static final int ERROR_P = 1;
  private static final int ERROR_W = 2;
  private static final int ERROR_U = 4;
  private static final int ERROR_PK = 0x20;
  private static final int AREA = 0xA000;
  private static final int PKRU_OFFSET = 2688;
  private static final int XSTATE_BV = 512;

  private final BareCpu bare = BareCpu.with(8, CpuFeature.PKU, CpuFeature.PKS);
  private final Cpu cpu = bare.cpu;

  @BeforeEach
  void mapPages() {
    page(USER_PAGE, USER | WRITABLE, KEY);
    page(SUPERVISOR_PAGE, WRITABLE, KEY);
    // What leads there lets user code through.
    bare.put64(0x1_0000, 0x1_1000 | 7);
    bare.put64(0x1_1000, BareCpu.PAGE_DIRECTORY | 7);
    cpu.cr4 |= CR4_PKE | CR4_PKS;
    cpu.mmu.flush();
  }

  private void page(long linear, int rights, long key) {
    int entry = (int) (BareCpu.PAGE_DIRECTORY + 8 * (linear / LARGE_PAGE));
    bare.put64(entry, linear | key << 59 | 0x81 | rights);
    cpu.mmu.flush();
  }

  /** The error code of an access, or -1 if it is allowed; twice, for the TLB. */
  private int access(long linear, int access, boolean user) {
    int first = once(linear, access, user);
    assertThat(once(linear, access, user)).isEqualTo(first);
    return first;
  }

  private int once(long linear, int access, boolean user) {
    cpu.cpl = user ? 3 : 0;
    cpu.modeChanged();
    try {
      switch (access) {
        case Mmu.READ -> cpu.mmu.read32(linear);
        case Mmu.WRITE -> cpu.mmu.write32(linear, 0);
        default -> cpu.mmu.fetchPhysical(linear);
      }
      return NONE;
    } catch (CpuFault e) {
      assertThat(cpu.faultVector).isEqualTo(Cpu.PF);
      assertThat(cpu.cr2).isEqualTo(linear);
      return cpu.faultErrorCode;
    } finally {
      cpu.cpl = 0;
      cpu.modeChanged();
    }
  }

  @Test
  void accessDisableForbidsLoadsAndStoresOfUserPagesToEveryRing() {
    cpu.setProtectionKeys(ACCESS_DISABLE, 0);
    int present = ERROR_P | ERROR_PK;
    assertThat(access(USER_PAGE, Mmu.READ, true)).isEqualTo(present | ERROR_U);
    assertThat(access(USER_PAGE, Mmu.WRITE, true)).isEqualTo(present | ERROR_U | ERROR_W);
    assertThat(access(USER_PAGE, Mmu.READ, false)).isEqualTo(present);
    assertThat(access(USER_PAGE, Mmu.WRITE, false)).isEqualTo(present | ERROR_W);
    assertThat(access(USER_PAGE, Mmu.FETCH, true)).isEqualTo(NONE);
    assertThat(access(SUPERVISOR_PAGE, Mmu.READ, false)).isEqualTo(NONE);
  }

  @Test
  void writeDisableForbidsStoresOfUserCodeAndWithWpOfTheSupervisor() {
    cpu.setProtectionKeys(WRITE_DISABLE, 0);
    assertThat(access(USER_PAGE, Mmu.READ, true)).isEqualTo(NONE);
    assertThat(access(USER_PAGE, Mmu.WRITE, true))
        .isEqualTo(ERROR_P | ERROR_PK | ERROR_U | ERROR_W);
    assertThat(access(USER_PAGE, Mmu.WRITE, false)).isEqualTo(NONE);
    cpu.cr0 |= CR0_WP;
    cpu.mmu.flush();
    assertThat(access(USER_PAGE, Mmu.WRITE, false)).isEqualTo(ERROR_P | ERROR_PK | ERROR_W);
  }

  @Test
  void keysOfSupervisorPagesAreThoseOfIa32Pkrs() {
    cpu.system.msrs.write(MSR_PKRS, ACCESS_DISABLE);
    assertThat(access(SUPERVISOR_PAGE, Mmu.READ, false)).isEqualTo(ERROR_P | ERROR_PK);
    assertThat(access(USER_PAGE, Mmu.READ, true)).isEqualTo(NONE);
    cpu.system.msrs.write(MSR_PKRS, WRITE_DISABLE);
    assertThat(access(SUPERVISOR_PAGE, Mmu.READ, false)).isEqualTo(NONE);
    assertThat(access(SUPERVISOR_PAGE, Mmu.WRITE, false)).isEqualTo(NONE);
    cpu.cr0 |= CR0_WP;
    cpu.mmu.flush();
    assertThat(access(SUPERVISOR_PAGE, Mmu.WRITE, false)).isEqualTo(ERROR_P | ERROR_PK | ERROR_W);
  }

  @Test
  void otherKeysAndWhatCr4DoesNotEnableChangeNothing() {
    cpu.setProtectionKeys(~(ACCESS_DISABLE | WRITE_DISABLE), ~(ACCESS_DISABLE | WRITE_DISABLE));
    assertThat(access(USER_PAGE, Mmu.WRITE, true)).isEqualTo(NONE);
    assertThat(access(SUPERVISOR_PAGE, Mmu.WRITE, false)).isEqualTo(NONE);
    cpu.setProtectionKeys(-1, -1);
    cpu.cr4 &= ~(CR4_PKE | CR4_PKS);
    cpu.mmu.flush();
    assertThat(access(USER_PAGE, Mmu.WRITE, true)).isEqualTo(NONE);
    assertThat(access(SUPERVISOR_PAGE, Mmu.WRITE, false)).isEqualTo(NONE);
  }

  @Test
  void aFaultOfAnotherKindTellsOfTheKeyToo() {
    page(USER_PAGE, USER, KEY); // read-only
    cpu.setProtectionKeys(WRITE_DISABLE, 0);
    assertThat(access(USER_PAGE, Mmu.WRITE, true))
        .isEqualTo(ERROR_P | ERROR_PK | ERROR_U | ERROR_W);
    cpu.setProtectionKeys(0, 0);
    assertThat(access(USER_PAGE, Mmu.WRITE, true)).isEqualTo(ERROR_P | ERROR_U | ERROR_W);
  }

  /** A page is not marked as accessed by what its key forbids. */
  @Test
  void aForbiddenAccessLeavesNoTrace() {
    int entry = (int) (BareCpu.PAGE_DIRECTORY + 8 * (USER_PAGE / LARGE_PAGE));
    cpu.setProtectionKeys(ACCESS_DISABLE, 0);
    access(USER_PAGE, Mmu.WRITE, true);
    assertThat(bare.get32(entry) & 0x60).isZero();
  }

  // ---- instructions ----

  @Test
  void wrpkruActsAtOnceAndRdpkruReadsItBack() {
    cpu.gpr[Cpu.RBX] = USER_PAGE;
    cpu.gpr[Cpu.RCX] = 0;
    cpu.gpr[Cpu.RDX] = 0;
    cpu.gpr[Cpu.RAX] = ACCESS_DISABLE;
    // MOV ESI, [RBX]; WRPKRU; MOV ESI, [RBX]
    assertThat(bare.run(0x8B, 0x33, 0x0F, 0x01, 0xEF, 0x8B, 0x33)).isEqualTo(Cpu.PF);
    assertThat(cpu.faultErrorCode).isEqualTo(ERROR_P | ERROR_PK);
    cpu.gpr[Cpu.RAX] = -1;
    cpu.gpr[Cpu.RDX] = -1;
    assertThat(bare.run(0x0F, 0x01, 0xEE)).isEqualTo(NONE);
    assertThat(cpu.gpr[Cpu.RAX]).isEqualTo(ACCESS_DISABLE);
    assertThat(cpu.gpr[Cpu.RDX]).isZero();
  }

  @Test
  void theirOperandsAreChecked() {
    cpu.gpr[Cpu.RCX] = 1;
    assertThat(bare.run(0x0F, 0x01, 0xEE)).isEqualTo(Cpu.GP);
    assertThat(bare.run(0x0F, 0x01, 0xEF)).isEqualTo(Cpu.GP);
    cpu.gpr[Cpu.RCX] = 0;
    cpu.gpr[Cpu.RDX] = 1;
    assertThat(bare.run(0x0F, 0x01, 0xEF)).isEqualTo(Cpu.GP);
    cpu.gpr[Cpu.RDX] = 1L << 32; // the upper halves mean nothing
    cpu.gpr[Cpu.RCX] = 1L << 32;
    assertThat(bare.run(0x0F, 0x01, 0xEF)).isEqualTo(NONE);
  }

  @Test
  void withoutPkeTheyAreUndefined() {
    cpu.cr4 &= ~CR4_PKE;
    assertThat(bare.run(0x0F, 0x01, 0xEE)).isEqualTo(Cpu.UD);
    assertThat(bare.run(0x0F, 0x01, 0xEF)).isEqualTo(Cpu.UD);
  }

  /** MOV RAX, CR4; BTS EAX, bit; MOV CR4, RAX. */
  private static int setCr4(BareCpu processor, int bit) {
    return processor.run(0x0F, 0x20, 0xE0, 0x0F, 0xBA, 0xE8, bit, 0x0F, 0x22, 0xE0);
  }

  @Test
  void cpuidSaysWhatCr4AndTheRegistersMayHave() {
    BareCpu plain = BareCpu.withCodeSize(8);
    assertThat(setCr4(plain, 22)).isEqualTo(Cpu.GP);
    assertThat(setCr4(plain, 24)).isEqualTo(Cpu.GP);
    assertThat(setCr4(bare, 22)).isEqualTo(NONE);
    assertThat(setCr4(bare, 24)).isEqualTo(NONE);
    plain.cpu.gpr[Cpu.RCX] = MSR_PKRS;
    assertThat(plain.run(0x0F, 0x32)).as("RDMSR").isEqualTo(Cpu.GP);
    cpu.gpr[Cpu.RCX] = MSR_PKRS;
    cpu.gpr[Cpu.RDX] = 1;
    assertThat(bare.run(0x0F, 0x30)).as("WRMSR of reserved bits").isEqualTo(Cpu.GP);
  }

  @Test
  void cpuidTellsWhetherTheSystemHasEnabledThem() {
    cpu.gpr[Cpu.RAX] = 7;
    cpu.gpr[Cpu.RCX] = 0;
    bare.run(0x0F, 0xA2);
    assertThat(cpu.gpr[Cpu.RCX] & 0x18).as("PKU and OSPKE").isEqualTo(0x18);
    cpu.cr4 &= ~CR4_PKE;
    cpu.gpr[Cpu.RAX] = 7;
    cpu.gpr[Cpu.RCX] = 0;
    bare.run(0x0F, 0xA2);
    assertThat(cpu.gpr[Cpu.RCX] & 0x18).isEqualTo(8);
  }

  // ---- XSAVE ----

  private void enableXsave() {
    cpu.cr4 |= CR4_OSXSAVE;
    cpu.xcr0 = 0x203;
    cpu.gpr[Cpu.RBX] = AREA;
    cpu.gpr[Cpu.RAX] = -1;
    cpu.gpr[Cpu.RDX] = -1;
  }

  @Test
  void xsaveAndXrstorHavePkruWhereCpuidTells() {
    enableXsave();
    cpu.setProtectionKeys(0x1234_5678, 0);
    assertThat(bare.run(0x0F, 0xAE, 0x23)).as("XSAVE [RBX]").isEqualTo(NONE);
    assertThat(bare.get32(AREA + PKRU_OFFSET)).isEqualTo(0x1234_5678);
    assertThat(bare.get32(AREA + XSTATE_BV)).isEqualTo(0x203);
    bare.put64(AREA + PKRU_OFFSET, 0x5555_5554);
    assertThat(bare.run(0x0F, 0xAE, 0x2B)).as("XRSTOR [RBX]").isEqualTo(NONE);
    assertThat(cpu.pkru).isEqualTo(0x5555_5554);
    bare.put64(AREA + XSTATE_BV, 3);
    assertThat(bare.run(0x0F, 0xAE, 0x2B)).isEqualTo(NONE);
    assertThat(cpu.pkru).as("its initial value").isZero();
  }

  @Test
  void xrstorOfOtherComponentsLeavesPkru() {
    enableXsave();
    cpu.setProtectionKeys(8, 0);
    bare.run(0x0F, 0xAE, 0x23);
    cpu.setProtectionKeys(4, 0);
    cpu.gpr[Cpu.RAX] = 3;
    assertThat(bare.run(0x0F, 0xAE, 0x2B)).isEqualTo(NONE);
    assertThat(cpu.pkru).isEqualTo(4);
  }

  @Test
  void cpuidTellsTheSizeOfTheAreaThatIsEnabled() {
    for (long xcr0 : new long[] {3, 0x203}) {
      cpu.xcr0 = xcr0;
      cpu.gpr[Cpu.RAX] = 0xD;
      cpu.gpr[Cpu.RCX] = 0;
      bare.run(0x0F, 0xA2);
      assertThat(cpu.gpr[Cpu.RBX]).isEqualTo(xcr0 == 3 ? 576 : PKRU_OFFSET + 8);
      assertThat(cpu.gpr[Cpu.RCX]).isEqualTo(PKRU_OFFSET + 8);
    }
  }
}
