package io.vmm4j.engine.software.system;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.backend.MsrState;
import io.vmm4j.engine.machine.cpuid.CpuModel;
import io.vmm4j.engine.software.cpu.Cpu;
import io.vmm4j.engine.software.cpu.CpuFault;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The model-specific registers (Intel SDM volume 4) that the processor has: those that its CPUID
 * implies and that operating systems touch. All others are #GP. For the vCPU's thread.
 *
 * <p>The time-stamp counter is the machine's clock in ticks of {@code host.tscFrequencyHz()}, plus
 * an offset that WRMSR changes.
 */
public final class Msrs {
  private static final int TSC = 0x10;
  private static final int PLATFORM_ID = 0x17;
  private static final int APIC_BASE = 0x1B;
  private static final int FEATURE_CONTROL = 0x3A;
  private static final int TSC_ADJUST = 0x3B;
  private static final int SPEC_CTRL = 0x48;
  private static final int PRED_CMD = 0x49;
  private static final int BIOS_SIGN_ID = 0x8B;
  private static final int PLATFORM_INFO = 0xCE;
  private static final int MTRR_CAP = 0xFE;
  private static final int FLUSH_CMD = 0x10B;
  private static final int SYSENTER_CS = 0x174;
  private static final int SYSENTER_ESP = 0x175;
  private static final int SYSENTER_EIP = 0x176;
  private static final int MCG_CAP = 0x179;
  private static final int MCG_STATUS = 0x17A;
  private static final int MISC_ENABLE = 0x1A0;
  private static final int DEBUG_CTL = 0x1D9;
  private static final int LAST_BRANCH_FIRST = 0x1DB;
  private static final int LAST_BRANCH_LAST = 0x1DE;
  private static final int PAT = 0x277;
  private static final int TSC_DEADLINE = 0x6E0;
  private static final int X2APIC_FIRST = 0x800;
  private static final int X2APIC_LAST = 0x8FF;
  private static final int EFER = 0xC0000080;
  private static final int STAR = 0xC0000081;
  private static final int LSTAR = 0xC0000082;
  private static final int CSTAR = 0xC0000083;
  private static final int SFMASK = 0xC0000084;
  private static final int FS_BASE = 0xC0000100;
  private static final int GS_BASE = 0xC0000101;
  private static final int KERNEL_GS_BASE = 0xC0000102;
  private static final int TSC_AUX = 0xC0000103;

  private static final long POWER_ON_PAT = 0x0007040600070406L;

  /** Fast strings on; branch trace and event sampling stores not available. */
  private static final long POWER_ON_MISC_ENABLE = 0x1801;

  /** Those with state, by ascending unsigned index, but for the MTRRs. */
  private static final int[] SAVED = {
    APIC_BASE,
    TSC_ADJUST,
    SPEC_CTRL,
    BIOS_SIGN_ID,
    SYSENTER_CS,
    SYSENTER_ESP,
    SYSENTER_EIP,
    MCG_STATUS,
    MISC_ENABLE,
    DEBUG_CTL,
    PAT,
    TSC_DEADLINE,
    EFER,
    STAR,
    LSTAR,
    CSTAR,
    SFMASK,
    FS_BASE,
    GS_BASE,
    KERNEL_GS_BASE,
    TSC_AUX
  };

  long sysenterCs;
  long sysenterEsp;
  long sysenterEip;
  long star;
  long lstar;
  long cstar;
  long sfmask;
  long kernelGsBase;
  long tscAux;

  private final Cpu cpu;
  private final Mtrrs mtrrs = new Mtrrs();
  private long tscOffset;
  private long tscAdjust;
  private long specCtrl;
  private long biosSignId;
  private long mcgStatus;
  private long miscEnable = POWER_ON_MISC_ENABLE;
  private long debugCtl;
  private long pat = POWER_ON_PAT;

  Msrs(Cpu cpu) {
    this.cpu = cpu;
  }

  void powerOn() {
    mtrrs.powerOn();
    sysenterCs = 0;
    sysenterEsp = 0;
    sysenterEip = 0;
    star = 0;
    lstar = 0;
    cstar = 0;
    sfmask = 0;
    kernelGsBase = 0;
    tscAux = 0;
    tscAdjust = 0;
    specCtrl = 0;
    biosSignId = 0;
    mcgStatus = 0;
    miscEnable = POWER_ON_MISC_ENABLE;
    debugCtl = 0;
    pat = POWER_ON_PAT;
    setTsc(0);
  }

  // ---- the time-stamp counter ----

  /** The time-stamp counter. */
  public long tsc() {
    return cpu.host.clock().ticks(cpu.host.tscFrequencyHz()) + tscOffset;
  }

  /** Makes the counter be at a value now, as a restore does: IA32_TSC_ADJUST stays. */
  public void setTsc(long value) {
    tscOffset += value - tsc();
    cpu.apic.setTscOffset(tscOffset);
  }

  // ---- RDMSR and WRMSR ----

  /** RDMSR without the check of privilege; #GP(0) for what does not exist. */
  public long read(int index) {
    return switch (index) {
      case TSC -> tsc();
      case PLATFORM_ID, MCG_CAP, FEATURE_CONTROL -> index == FEATURE_CONTROL ? 1 : 0;
      case APIC_BASE -> cpu.apic.base();
      case TSC_ADJUST -> ifHas(cpu.system.cpuid.structuredEbx(1), tscAdjust);
      case SPEC_CTRL -> ifHas(hasSpecCtrl(), specCtrl);
      case BIOS_SIGN_ID -> biosSignId;
      case PLATFORM_INFO -> 0;
      case MTRR_CAP -> Mtrrs.CAPABILITIES;
      case CpuModel.IA32_ARCH_CAPABILITIES ->
          ifHas(cpu.system.cpuid.structuredEdx(29), CpuModel.ARCH_CAPABILITIES);
      case SYSENTER_CS -> sysenterCs;
      case SYSENTER_ESP -> sysenterEsp;
      case SYSENTER_EIP -> sysenterEip;
      case MCG_STATUS -> mcgStatus;
      case MISC_ENABLE -> miscEnable;
      case DEBUG_CTL -> debugCtl;
      case PAT -> pat;
      case TSC_DEADLINE -> ifHas(cpu.system.cpuid.featureEcx(24), cpu.apic.tscDeadline());
      default -> readHigh(index);
    };
  }

  private long readHigh(int index) {
    return switch (index) {
      case EFER -> cpu.efer;
      case STAR -> star;
      case LSTAR -> lstar;
      case CSTAR -> cstar;
      case SFMASK -> sfmask;
      case FS_BASE -> cpu.seg[Cpu.FS].base;
      case GS_BASE -> cpu.seg[Cpu.GS].base;
      case KERNEL_GS_BASE -> kernelGsBase;
      case TSC_AUX -> tscAux;
      default -> {
        if (Mtrrs.contains(index)) {
          yield mtrrs.read(index);
        }
        if (index >= X2APIC_FIRST && index <= X2APIC_LAST) {
          yield cpu.apic.readMsr(index);
        }
        if (index >= LAST_BRANCH_FIRST && index <= LAST_BRANCH_LAST) {
          yield 0;
        }
        throw cpu.raise(Cpu.GP, 0);
      }
    };
  }

  private long ifHas(boolean has, long value) {
    require(has);
    return value;
  }

  private void require(boolean condition) {
    if (!condition) {
      throw cpu.raise(Cpu.GP, 0);
    }
  }

  private boolean hasSpecCtrl() {
    return cpu.system.cpuid.structuredEdx(26);
  }

  /** WRMSR without the check of privilege; #GP(0) for what does not exist or a wrong value. */
  public void write(int index, long value) {
    switch (index) {
      case TSC -> {
        long delta = value - tsc();
        tscAdjust += delta;
        moveTsc(delta);
      }
      case APIC_BASE -> {
        long reserved = -1L << cpu.system.cpuid.physicalBits() | 0x2FF;
        if (!cpu.system.cpuid.featureEcx(21)) {
          reserved |= 1 << 10;
        }
        require((value & reserved) == 0 && cpu.apic.writeBase(value));
        cpu.mmu.flush();
      }
      case TSC_ADJUST -> {
        require(cpu.system.cpuid.structuredEbx(1));
        long delta = value - tscAdjust;
        tscAdjust = value;
        moveTsc(delta);
      }
      case SPEC_CTRL -> {
        require(hasSpecCtrl() && (value & ~7L) == 0);
        specCtrl = value;
      }
      case PRED_CMD -> require(hasSpecCtrl() && (value & ~1L) == 0);
      case FLUSH_CMD -> require(cpu.system.cpuid.structuredEdx(28) && (value & ~1L) == 0);
      case BIOS_SIGN_ID -> biosSignId = value;
      case SYSENTER_CS -> sysenterCs = value & 0xFFFFFFFFL;
      case SYSENTER_ESP -> sysenterEsp = canonical(value);
      case SYSENTER_EIP -> sysenterEip = canonical(value);
      case MCG_STATUS -> {
        require(value == 0);
        mcgStatus = 0;
      }
      case MISC_ENABLE -> miscEnable = value;
      case DEBUG_CTL -> {
        require((value & ~3L) == 0);
        debugCtl = value;
      }
      case PAT -> {
        require(isPat(value));
        pat = value;
      }
      case TSC_DEADLINE -> {
        require(cpu.system.cpuid.featureEcx(24));
        cpu.apic.setTscDeadline(value);
      }
      default -> writeHigh(index, value);
    }
  }

  private void writeHigh(int index, long value) {
    switch (index) {
      case EFER -> ControlRegisters.writeEfer(cpu, value);
      case STAR -> star = value;
      case LSTAR -> lstar = canonical(value);
      case CSTAR -> cstar = canonical(value);
      case SFMASK -> sfmask = value & 0xFFFFFFFFL;
      case FS_BASE -> setBase(Cpu.FS, canonical(value));
      case GS_BASE -> setBase(Cpu.GS, canonical(value));
      case KERNEL_GS_BASE -> kernelGsBase = canonical(value);
      case TSC_AUX -> {
        require(value >>> 32 == 0);
        tscAux = value;
      }
      default -> {
        if (Mtrrs.contains(index)) {
          require(mtrrs.write(index, value, cpu.system.cpuid.physicalBits()));
        } else if (index >= X2APIC_FIRST && index <= X2APIC_LAST) {
          cpu.apic.writeMsr(index, value);
        } else {
          throw cpu.raise(Cpu.GP, 0);
        }
      }
    }
  }

  /** Sets the base of FS or GS. */
  void setBase(int segment, long base) {
    cpu.seg[segment].base = base;
    cpu.segmentChanged(segment);
  }

  private void moveTsc(long delta) {
    tscOffset += delta;
    cpu.apic.setTscOffset(tscOffset);
  }

  private long canonical(long value) {
    require(Descriptor.isCanonical(value));
    return value;
  }

  private static boolean isPat(long value) {
    for (int i = 0; i < 64; i += 8) {
      int type = (int) (value >>> i) & 0xFF;
      if (type > 7 || type == 2 || type == 3) {
        return false;
      }
    }
    return true;
  }

  // ---- snapshots ----

  /** Every MSR that holds state, by ascending unsigned index. */
  public List<MsrState> save() {
    List<MsrState> list = new ArrayList<>();
    for (int index : SAVED) {
      if (exists(index)) {
        list.add(new MsrState(index, read(index)));
      }
    }
    for (int index = 0x200; index < 0x300; index++) {
      if (Mtrrs.contains(index)) {
        list.add(new MsrState(index, mtrrs.read(index)));
      }
    }
    list.sort(Comparator.comparingLong(m -> m.index() & 0xFFFFFFFFL));
    return list;
  }

  private boolean exists(int index) {
    return switch (index) {
      case TSC_ADJUST -> cpu.system.cpuid.structuredEbx(1);
      case SPEC_CTRL -> hasSpecCtrl();
      case TSC_DEADLINE -> cpu.system.cpuid.featureEcx(24);
      default -> true;
    };
  }

  /**
   * Takes on saved values. The segments are to be restored before, since FS and GS have their bases
   * here too; the local APIC and the time-stamp counter ({@link #setTsc}) after.
   *
   * @throws SnapshotException.Incompatible if one does not exist here or refuses its value
   */
  public void restore(List<MsrState> list) {
    for (MsrState m : list) {
      try {
        restore(m.index(), m.value());
      } catch (CpuFault e) {
        throw new SnapshotException.Incompatible(
            "MSR 0x%x".formatted(m.index()),
            "this processor has no such register, or it does not take 0x%x".formatted(m.value()));
      }
    }
  }

  private void restore(int index, long value) {
    switch (index) {
      case APIC_BASE -> require(cpu.apic.restoreBase(value));
      case TSC_ADJUST -> {
        require(cpu.system.cpuid.structuredEbx(1));
        tscAdjust = value;
      }
      case MCG_STATUS -> mcgStatus = value;
      case TSC_DEADLINE -> cpu.apic.restoreTscDeadline(value);
      case EFER -> {
        cpu.efer = value;
        cpu.modeChanged();
      }
      case TSC -> {}
      default -> write(index, value);
    }
  }
}
