package io.vmm4j.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.backend.BackendProbe;
import io.vmm4j.api.backend.VmBackend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Debian's gdb drives the server of a machine on KVM. */
@Timeout(1200)
class KvmGdbTest {
  private static final BackendChoice KVM = Backends.kvm();

  @TempDir private Path directory;

  @BeforeEach
  void kvmIsThere() {
    BackendProbe probe =
        ServiceLoader.load(VmBackend.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(backend -> backend.name().equals("kvm"))
            .findFirst()
            .orElseThrow()
            .probe();
    if (!probe.usable()) {
      System.out.println("SKIPPED: " + probe.detail());
    }
    Assumptions.assumeTrue(probe.usable(), probe.detail());
    System.out.println("BACKEND: kvm");
  }

  @Test
  void aSmallGuestStepByStep() throws IOException, InterruptedException {
    String said =
        GuestSession.of(
            Vm.create(Guest.spec(directory, KVM)),
            List.of(
                "stepi 4", // MOV SS and what follows are one
                "printf \"counted %d at %#lx\\n\", *(short*)0x500, $pc",
                "stepi 2",
                "set var $ecx = 1000",
                "stepi",
                "printf \"added %d at %#lx\\n\", $ecx, $pc"));
    assertThat(said).contains("counted 1 at 0xd").contains("added 1001 at 0x18");
  }

  @Test
  void aFunctionOfTheKernelAndItsArguments() throws IOException, InterruptedException {
    if (Files.readString(Path.of("/proc/cpuinfo")).contains("QEMU TCG")) {
      System.out.println("SKIPPED: breakpoints in a guest of KVM: QEMU emulates none");
      return;
    }
    try (Snapshot booted = booted();
        Vm vm = booted.resume(KVM)) {
      KernelFunction.isBrokenInto(vm);
    }
  }

  /** A Linux at its shell, booted on the software backend; kvm-host/test has one in a file. */
  private static Snapshot booted() throws IOException {
    Path file = Path.of(System.getProperty("vmm4j.kvm.linux", ""));
    if (Files.isRegularFile(file)) {
      return Snapshot.read(file);
    }
    try (Vm vm = Vm.start(Guest.linux())) {
      Console console = vm.console("com1");
      console.expect(KernelFunction.PROMPT, KernelFunction.PATIENCE);
      vm.pause();
      return vm.snapshot();
    }
  }
}
