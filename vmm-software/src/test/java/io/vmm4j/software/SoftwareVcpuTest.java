package io.vmm4j.software;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.backend.MsrState;
import io.vmm4j.software.cpu.DecodedCode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a vCPU's state holds besides registers. */
class SoftwareVcpuTest {
  private static final int INTERRUPT_COMMAND = 0x300;
  private static final int TO_SELF = 0x4_4000;
  private static final int PKRS = 0x6E1;

  private final TestHost host = new TestHost();
  private final SoftwareVcpu vcpu =
      new SoftwareVcpu(0, host, new DecodedCode(host.memory().byteSize()), null);

  private CpuState saveAfter(int command) {
    vcpu.apic().writeMmio(INTERRUPT_COMMAND, 4, TO_SELF | command);
    return vcpu.save();
  }

  private CpuState saveTwin(CpuState state) {
    SoftwareVcpu twin = new SoftwareVcpu(0, host, new DecodedCode(host.memory().byteSize()), null);
    twin.restore(state);
    return twin.save();
  }

  @Test
  void stateHoldsAnInitMessageThatWaits() {
    CpuState state = saveAfter(0x500);

    assertThat(state.events().initPending()).isTrue();
    assertThat(saveTwin(state).events()).isEqualTo(state.events());
  }

  @Test
  void stateHoldsAStartupMessageThatWaits() {
    CpuState state = saveAfter(0x608);

    assertThat(state.events().startupVector()).isEqualTo(8);
    assertThat(saveTwin(state).events()).isEqualTo(state.events());
  }

  @Test
  void stateHoldsTheRightsOfProtectionKeys() {
    TestHost keyed = new TestHost(CpuVendor.INTEL, Set.of(CpuFeature.PKU, CpuFeature.PKS));
    SoftwareVcpu first = new SoftwareVcpu(0, keyed, new DecodedCode(TestHost.MEMORY_BYTES), null);
    CpuState fresh = first.save();
    byte[] xsave = fresh.xsave().clone();
    assertThat(xsave).hasSize(2696);
    ByteBuffer.wrap(xsave).order(ByteOrder.LITTLE_ENDIAN).putInt(2688, 0x5555_5554);
    List<MsrState> msrs =
        fresh.msrs().stream().map(m -> m.index() == PKRS ? new MsrState(PKRS, 0x10) : m).toList();

    first.restore(with(fresh, xsave, msrs));

    CpuState saved = first.save();
    assertThat(saved.xsave()).isEqualTo(xsave);
    assertThat(saved.msr(PKRS)).isEqualTo(0x10);
    // As old files have it, and as a processor without keys has it: the initial value.
    first.restore(with(saved, Arrays.copyOf(xsave, 576), List.of()));
    assertThat(ByteBuffer.wrap(first.save().xsave()).getInt(2688)).isZero();
    assertThat(vcpu.save().xsave()).hasSize(576);
    assertThat(vcpu.save().msrs()).noneMatch(m -> m.index() == PKRS);
  }

  private static CpuState with(CpuState s, byte[] xsave, List<MsrState> msrs) {
    return new CpuState(
        s.gpr(),
        s.rip(),
        s.rflags(),
        s.es(),
        s.cs(),
        s.ss(),
        s.ds(),
        s.fs(),
        s.gs(),
        s.ldtr(),
        s.tr(),
        s.gdtr(),
        s.idtr(),
        s.cr0(),
        s.cr2(),
        s.cr3(),
        s.cr4(),
        s.dr(),
        s.xcr0(),
        xsave,
        msrs,
        s.events(),
        s.activity(),
        s.apic(),
        s.tsc());
  }

  @Test
  void aRestoredProcessorForgetsWhatItWaitedFor() {
    CpuState quiet = vcpu.save();
    saveAfter(0x500);
    saveAfter(0x608);
    saveAfter(0x400);

    vcpu.restore(quiet);

    assertThat(vcpu.save().events()).isEqualTo(quiet.events());
    assertThat(vcpu.hasWork()).isFalse();
  }
}
