package io.vmm4j.engine.kvm;

import io.vmm4j.api.backend.BackendProbe;
import org.junit.jupiter.api.Assumptions;

/** What tests on KVM begin with. */
public final class Kvm {
  private Kvm() {}

  /** Skips the test where KVM can't be used, and says why; else says that it is used. */
  public static void required() {
    BackendProbe probe = new KvmBackend().probe();
    if (!probe.usable()) {
      System.out.println("SKIPPED: " + probe.detail());
    }
    Assumptions.assumeTrue(probe.usable(), probe.detail());
    System.out.println("BACKEND: kvm");
  }
}
