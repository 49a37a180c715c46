package io.vmm4j.x86;

import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.backend.MsrState;
import java.util.List;
import java.util.OptionalLong;

/**
 * The MSRs that tell something, or keep what was written, and change nothing the processor does
 * (Intel SDM volume 4; AMD's own: APM volume 2, appendix A). Every backend has these, with the same
 * values. For one thread at a time.
 */
public final class InertMsrs {
  private static final int PLATFORM_ID = 0x17;
  private static final int FEATURE_CONTROL = 0x3A;
  private static final int SPEC_CTRL = 0x48;
  private static final int PRED_CMD = 0x49;
  private static final int BIOS_SIGN_ID = 0x8B;
  private static final int PLATFORM_INFO = 0xCE;
  private static final int MTRR_CAP = 0xFE;
  private static final int FLUSH_CMD = 0x10B;
  private static final int MCG_CAP = 0x179;
  private static final int MCG_STATUS = 0x17A;
  private static final int MISC_ENABLE = 0x1A0;
  private static final int DEBUG_CTL = 0x1D9;
  private static final int SYSCFG = 0xC0010010;
  private static final int HWCR = 0xC0010015;
  private static final int NB_CFG = 0xC001001F;
  private static final int LAST_BRANCH_FIRST = 0x1DB;
  private static final int LAST_BRANCH_LAST = 0x1DE;

  /** Fast strings on; branch trace and event sampling stores not available. */
  private static final long POWER_ON_MISC_ENABLE = 0x1801;

  /**
   * AMD's: the time-stamp counter has the frequency of the highest P-state (APM volume 2, HWCR).
   */
  private static final long HWCR_TSC_FREQUENCY = 1 << 24;

  /** Of AMD's NB_CFG: configuration space beyond 256 bytes through ports, which Linux sets. */
  private static final long NB_CFG_EXTENDED_CONFIGURATION = 1L << 46;

  private static final int[] SAVED = {
    SPEC_CTRL, BIOS_SIGN_ID, MCG_STATUS, MISC_ENABLE, DEBUG_CTL, NB_CFG
  };

  private final Mtrrs mtrrs = new Mtrrs();
  private final boolean hasSpecCtrl;
  private final boolean hasFlush;
  private final boolean hasArchCapabilities;
  private final boolean amd;
  private final int physicalBits;
  private long specCtrl;
  private long biosSignId;
  private long mcgStatus;
  private long miscEnable;
  private long debugCtl;
  private long nbCfg;

  /** Those of a processor with some CPUID, as after power-on. */
  public InertMsrs(List<CpuidLeaf> cpuid) {
    int structured = 0;
    int bits = 36;
    for (CpuidLeaf leaf : cpuid) {
      if (leaf.leaf() == 7 && leaf.subleaf() <= 0) {
        structured = leaf.edx();
      } else if (leaf.leaf() == 0x8000_0008) {
        bits = leaf.eax() & 0xFF;
      }
    }
    this.hasSpecCtrl = (structured & 1 << 26) != 0;
    this.hasFlush = (structured & 1 << 28) != 0;
    this.hasArchCapabilities = (structured & 1 << 29) != 0;
    this.amd = CpuVendor.of(cpuid) == CpuVendor.AMD;
    this.physicalBits = bits;
    powerOn();
  }

  /** The state after power-on. */
  public void powerOn() {
    mtrrs.powerOn();
    specCtrl = 0;
    biosSignId = 0;
    mcgStatus = 0;
    miscEnable = POWER_ON_MISC_ENABLE;
    debugCtl = 0;
    nbCfg = 0;
  }

  /** RDMSR; empty where there is no such register. */
  public OptionalLong read(int index) {
    return switch (index) {
      case PLATFORM_ID, MCG_CAP, PLATFORM_INFO -> OptionalLong.of(0);
      case FEATURE_CONTROL -> OptionalLong.of(1);
      case SPEC_CTRL -> hasSpecCtrl ? OptionalLong.of(specCtrl) : OptionalLong.empty();
      case BIOS_SIGN_ID -> OptionalLong.of(biosSignId);
      case MTRR_CAP -> OptionalLong.of(Mtrrs.CAPABILITIES);
      case CpuidModel.IA32_ARCH_CAPABILITIES ->
          hasArchCapabilities
              ? OptionalLong.of(CpuidModel.ARCH_CAPABILITIES)
              : OptionalLong.empty();
      case MCG_STATUS -> OptionalLong.of(mcgStatus);
      case MISC_ENABLE -> OptionalLong.of(miscEnable);
      case DEBUG_CTL -> OptionalLong.of(debugCtl);
      case SYSCFG, HWCR, NB_CFG -> amd ? OptionalLong.of(readAmd(index)) : OptionalLong.empty();
      default -> {
        if (Mtrrs.contains(index)) {
          yield OptionalLong.of(mtrrs.read(index));
        }
        boolean lastBranch = index >= LAST_BRANCH_FIRST && index <= LAST_BRANCH_LAST;
        yield lastBranch ? OptionalLong.of(0) : OptionalLong.empty();
      }
    };
  }

  private long readAmd(int index) {
    return switch (index) {
      case HWCR -> HWCR_TSC_FREQUENCY;
      case NB_CFG -> nbCfg;
      default -> 0; // SYSCFG: no encryption of memory, no range beyond the MTRRs'
    };
  }

  /** WRMSR; false where there is no such register or it does not take the value. */
  public boolean write(int index, long value) {
    switch (index) {
      case SPEC_CTRL -> {
        if (!hasSpecCtrl || (value & ~7L) != 0) {
          return false;
        }
        specCtrl = value;
      }
      case PRED_CMD -> {
        return hasSpecCtrl && (value & ~1L) == 0;
      }
      case FLUSH_CMD -> {
        return hasFlush && (value & ~1L) == 0;
      }
      case BIOS_SIGN_ID -> biosSignId = value;
      case MCG_STATUS -> {
        if (value != 0) {
          return false;
        }
        mcgStatus = 0;
      }
      case MISC_ENABLE -> miscEnable = value;
      case DEBUG_CTL -> {
        if ((value & ~3L) != 0) {
          return false;
        }
        debugCtl = value;
      }
      case NB_CFG -> {
        if (!amd || (value & ~NB_CFG_EXTENDED_CONFIGURATION) != 0) {
          return false;
        }
        nbCfg = value;
      }
      default -> {
        return Mtrrs.contains(index) && mtrrs.write(index, value, physicalBits);
      }
    }
    return true;
  }

  /** Adds what holds state, in no order. */
  public void save(List<MsrState> target) {
    for (int index : SAVED) {
      read(index).ifPresent(value -> target.add(new MsrState(index, value)));
    }
    for (int index = Mtrrs.FIRST; index <= Mtrrs.LAST; index++) {
      if (Mtrrs.contains(index)) {
        target.add(new MsrState(index, mtrrs.read(index)));
      }
    }
  }

  /** Takes on a saved value; false where there is no such register or it does not take it. */
  public boolean restore(MsrState saved) {
    if (saved.index() == MCG_STATUS) {
      mcgStatus = saved.value();
      return true;
    }
    return write(saved.index(), saved.value());
  }
}
