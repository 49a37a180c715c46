package io.vmm4j.engine.kvm;

import io.vmm4j.api.backend.BackendProbe;
import io.vmm4j.kvm.KvmBackend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** What tests on KVM begin with. */
public final class Kvm {
  private Kvm() {}

  /** Whether the processor behind KVM is QEMU's emulation, which differs from real ones. */
  public static boolean isEmulated() throws IOException {
    Path processors = Path.of("/proc/cpuinfo");
    return Files.isReadable(processors) && Files.readString(processors).contains("QEMU TCG");
  }

  /**
   * Whether a debugger's breakpoints are hit in its guests; says so where they aren't. QEMU's SVM
   * up to 7.2 at least has neither DR7 act in the guest nor INT3 intercepted.
   */
  static boolean hasBreakpoints() throws IOException {
    if (isEmulated()) {
      System.out.println("SKIPPED: breakpoints in a guest of KVM: QEMU emulates none");
    }
    return !isEmulated();
  }

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
