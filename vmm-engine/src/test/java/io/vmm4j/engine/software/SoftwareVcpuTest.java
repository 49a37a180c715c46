package io.vmm4j.engine.software;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.engine.software.cpu.DecodedCode;
import org.junit.jupiter.api.Test;

/** What a vCPU's state holds besides registers. */
class SoftwareVcpuTest {
  private static final int INTERRUPT_COMMAND = 0x300;
  private static final int TO_SELF = 0x4_4000;

  private final TestHost host = new TestHost();
  private final SoftwareVcpu vcpu =
      new SoftwareVcpu(0, host, new DecodedCode(host.memory().byteSize()));

  private CpuState saveAfter(int command) {
    vcpu.apic().writeMmio(INTERRUPT_COMMAND, 4, TO_SELF | command);
    return vcpu.save();
  }

  private CpuState saveTwin(CpuState state) {
    SoftwareVcpu twin = new SoftwareVcpu(0, host, new DecodedCode(host.memory().byteSize()));
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
