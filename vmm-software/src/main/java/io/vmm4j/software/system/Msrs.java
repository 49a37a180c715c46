package io.vmm4j.software.system;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.MsrState;
import io.vmm4j.software.cpu.Cpu;
import io.vmm4j.software.cpu.CpuFault;
import io.vmm4j.x86.InertMsrs;
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
  private static final int APIC_BASE = 0x1B;
  private static final int TSC_ADJUST = 0x3B;
  private static final int SYSENTER_CS = 0x174;
  private static final int SYSENTER_ESP = 0x175;
  private static final int SYSENTER_EIP = 0x176;
  private static final int PAT = 0x277;
  private static final int TSC_DEADLINE = 0x6E0;
  private static final int PKRS = 0x6E1;
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

  /** Those with state, but for those of {@link InertMsrs}. */
  private static final int[] SAVED = {
    APIC_BASE,
    TSC_ADJUST,
    SYSENTER_CS,
    SYSENTER_ESP,
    SYSENTER_EIP,
    PAT,
    TSC_DEADLINE,
    PKRS,
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
  private final InertMsrs inert;
  private long tscOffset;
  private long tscAdjust;
  private long pat = POWER_ON_PAT;

  Msrs(Cpu cpu) {
    this.cpu = cpu;
    this.inert = new InertMsrs(cpu.host.cpuid());
  }

  void powerOn() {
    inert.powerOn();
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
    pat = POWER_ON_PAT;
    setTsc(0);
  }

  // ---- the time-stamp counter ----

  /** The base that SWAPGS exchanges that of GS with. */
  public long kernelGsBase() {
    return kernelGsBase;
  }

  /** SWAPGS was executed: the base of GS, and what it will be exchanged with. */
  public void setGsBases(long base, long kernelBase) {
    setBase(Cpu.GS, base);
    kernelGsBase = kernelBase;
  }

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
      case APIC_BASE -> cpu.apic.base();
      case TSC_ADJUST -> ifHas(cpu.system.cpuid.structuredEbx(1), tscAdjust);
      case SYSENTER_CS -> sysenterCs;
      case SYSENTER_ESP -> sysenterEsp;
      case SYSENTER_EIP -> sysenterEip;
      case PAT -> pat;
      case TSC_DEADLINE -> ifHas(cpu.system.cpuid.featureEcx(24), cpu.apic.tscDeadline());
      case PKRS -> ifHas(hasKeysOfSupervisorPages(), cpu.pkrs & 0xFFFF_FFFFL);
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
        if (index >= X2APIC_FIRST && index <= X2APIC_LAST) {
          yield cpu.apic.readMsr(index);
        }
        yield inert.read(index).orElseThrow(() -> cpu.raise(Cpu.GP, 0));
      }
    };
  }

  private boolean hasKeysOfSupervisorPages() {
    return cpu.system.cpuid.has(CpuFeature.PKS);
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
      case SYSENTER_CS -> sysenterCs = value & 0xFFFFFFFFL;
      case SYSENTER_ESP -> sysenterEsp = canonical(value);
      case SYSENTER_EIP -> sysenterEip = canonical(value);
      case PAT -> {
        require(isPat(value));
        pat = value;
      }
      case TSC_DEADLINE -> {
        require(cpu.system.cpuid.featureEcx(24));
        cpu.apic.setTscDeadline(value);
      }
      case PKRS -> {
        require(hasKeysOfSupervisorPages() && value >>> 32 == 0);
        cpu.setProtectionKeys(cpu.pkru, (int) value);
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
        if (index >= X2APIC_FIRST && index <= X2APIC_LAST) {
          cpu.apic.writeMsr(index, value);
        } else {
          require(inert.write(index, value));
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
    inert.save(list);
    list.sort(Comparator.comparingLong(m -> m.index() & 0xFFFFFFFFL));
    return list;
  }

  private boolean exists(int index) {
    return switch (index) {
      case TSC_ADJUST -> cpu.system.cpuid.structuredEbx(1);
      case TSC_DEADLINE -> cpu.system.cpuid.featureEcx(24);
      case PKRS -> hasKeysOfSupervisorPages();
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
        if (!inert.restore(m)) {
          restore(m.index(), m.value());
        }
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
