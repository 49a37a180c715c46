package io.vmm4j.engine.boot;

import io.vmm4j.api.backend.ActivityState;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.LocalApicState;
import io.vmm4j.api.backend.MsrState;
import io.vmm4j.api.backend.PendingEvents;
import io.vmm4j.api.backend.SegmentState;
import io.vmm4j.api.backend.TableState;
import io.vmm4j.x86.ControlBits;
import io.vmm4j.x86.CpuidModel;
import io.vmm4j.x86.SegmentAttributes;
import java.util.List;

/**
 * The state of a processor after power-up (Intel SDM volume 3, table 10-1): real mode at {@code
 * F000:FFF0} with the base of CS at 0xFFFF0000. Stateless; from any thread.
 */
public final class ResetState {
  static final int IA32_APIC_BASE = 0x1B;
  static final int IA32_MISC_ENABLE = 0x1A0;
  static final int IA32_PAT = 0x277;
  static final int IA32_MTRR_DEF_TYPE = 0x2FF;
  static final int IA32_EFER = 0xC000_0080;

  private static final long APIC_ENABLED_AT_DEFAULT_BASE = 0xFEE0_0800L;
  private static final long APIC_BASE_BOOTSTRAP = 1 << 8;

  /** Fast strings on, as Linux wants before it believes ERMS; neither BTS nor PEBS. */
  private static final long MISC_ENABLE_RESET = 1 | 1 << 11 | 1 << 12;

  private static final long PAT_RESET = 0x0007_0406_0007_0406L;
  private static final int LVT_MASKED = 1 << 16;

  private ResetState() {}

  /** The bootstrap processor, about to execute the first instruction of firmware. */
  public static CpuState bootstrapProcessor() {
    return processor(0, true);
  }

  /**
   * An application processor, which waits for its start-up message.
   *
   * @param apicId its initial APIC id, 1 to 254
   */
  public static CpuState applicationProcessor(int apicId) {
    return processor(apicId, false);
  }

  /**
   * The local APIC after power-up (Intel SDM volume 3, 11.4.7.1): disabled by software, every local
   * vector masked.
   *
   * @param apicId its initial APIC id, 0 to 254
   */
  public static LocalApicState localApic(int apicId) {
    int[] registers = new int[64];
    registers[0x02] = apicId << 24;
    registers[0x03] = 0x0005_0014; // version 0x14 with 6 local vectors
    registers[0x0E] = 0xFFFF_FFFF; // flat destinations
    registers[0x0F] = 0xFF; // spurious vector, disabled
    for (int vector = 0x32; vector <= 0x37; vector++) {
      registers[vector] = LVT_MASKED;
    }
    return new LocalApicState(apicId, registers, -1, false, false, 0);
  }

  /**
   * An XSAVE area in the standard form with x87 and SSE in their initial configuration (Intel SDM
   * volume 1, 13.6).
   */
  public static byte[] initialXsaveArea() {
    byte[] area = new byte[CpuidModel.XSAVE_AREA_BYTES];
    area[0] = 0x7F; // FCW 0x037F
    area[1] = 0x03;
    area[24] = (byte) 0x80; // MXCSR 0x1F80
    area[25] = 0x1F;
    area[28] = (byte) 0xFF; // MXCSR_MASK 0xFFFF
    area[29] = (byte) 0xFF;
    area[512] = 0b11; // XSTATE_BV
    return area;
  }

  private static CpuState processor(int apicId, boolean bootstrap) {
    long[] gpr = new long[16];
    gpr[2] = CpuidModel.SIGNATURE; // EDX tells the processor's signature
    SegmentState data = new SegmentState(0, 0, 0xFFFF, SegmentAttributes.REAL_MODE_DATA);
    return new CpuState(
        gpr,
        0xFFF0,
        0x2,
        data,
        new SegmentState(0xF000, 0xFFFF_0000L, 0xFFFF, SegmentAttributes.REAL_MODE_CODE),
        data,
        data,
        data,
        data,
        new SegmentState(0, 0, 0xFFFF, SegmentAttributes.LDT),
        new SegmentState(0, 0, 0xFFFF, SegmentAttributes.BUSY_TSS),
        new TableState(0, 0xFFFF),
        new TableState(0, 0xFFFF),
        ControlBits.CR0_RESET,
        0,
        0,
        0,
        new long[] {0, 0, 0, 0, ControlBits.DR6_RESET, ControlBits.DR7_RESET},
        1,
        initialXsaveArea(),
        List.of(
            new MsrState(
                IA32_APIC_BASE,
                APIC_ENABLED_AT_DEFAULT_BASE | (bootstrap ? APIC_BASE_BOOTSTRAP : 0)),
            new MsrState(IA32_MISC_ENABLE, MISC_ENABLE_RESET),
            new MsrState(IA32_PAT, PAT_RESET),
            new MsrState(IA32_MTRR_DEF_TYPE, 0),
            new MsrState(IA32_EFER, 0)),
        PendingEvents.none(),
        bootstrap ? ActivityState.RUNNING : ActivityState.WAIT_FOR_STARTUP,
        localApic(apicId),
        0);
  }
}
