package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuVendor;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.uart.UartConfig;
import io.vmm4j.guests.GuestImages;
import io.vmm4j.guests.GuestWork;
import java.time.Duration;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An unmodified Debian kernel on a processor of each vendor that has all there is to ask for. */
@Timeout(1200)
class LinuxProcessorsTest {
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final int ROUNDS = 2;

  private static final CpuFeature[] FEATURES = {
    CpuFeature.MOVBE, CpuFeature.BMI1, CpuFeature.BMI2, CpuFeature.ADX, CpuFeature.CLFLUSHOPT,
    CpuFeature.CLWB, CpuFeature.UMIP, CpuFeature.PKU, CpuFeature.PKS, CpuFeature.LZCNT,
    CpuFeature.AVX, CpuFeature.AVX2, CpuFeature.FMA, CpuFeature.F16C
  };

  /** As Linux calls them; it enables UMIP and the keys of user pages, and knows no others. */
  private static final String[] FLAGS = {
    "movbe",
    "bmi1",
    "bmi2",
    "adx",
    "clflushopt",
    "clwb",
    "umip",
    "pku",
    "ospke",
    "abm",
    "avx",
    "avx2",
    "fma",
    "f16c"
  };

  @ParameterizedTest
  @EnumSource
  void itRunsAndFindsWhatItExpects(CpuVendor vendor) {
    System.out.println("BACKEND: software");
    GuestImages images = GuestImages.required();
    VmSpec spec =
        VmSpec.builder("linux")
            .backend(Backends.software())
            .memory(MemorySize.mebibytes(128))
            .cpus(2)
            .clock(ClockMode.VIRTUAL)
            .randomSeed(1)
            .cpuVendor(vendor)
            .withCpuFeatures(FEATURES)
            .boot(
                LinuxBoot.kernel(images.kernel())
                    .initrd(images.initrd())
                    .commandLine("console=ttyS0 panic=-1"))
            .device("com1", UartConfig.DEFAULT)
            .build();
    try (Vm vm = Vm.start(spec)) {
      vm.console("com1").expect("vmm4j:/root# ", PATIENCE);
      vm.console("com1")
          .sendLine("grep -m2 -E '^(vendor_id|flags)' /proc/cpuinfo; work 2 1; poweroff -f");
      assertThat(vm.awaitExit(PATIENCE)).isEqualTo(new VmExit.PoweredOff());
      String transcript = vm.console("com1").transcript();
      assertThat(transcript)
          .contains(": " + vendor.signature())
          .doesNotContain("unchecked MSR access", "BUG", "WARNING:", "invalid opcode");
      assertThat(transcript.lines().filter(line -> line.startsWith("flags")).findFirst())
          .hasValueSatisfying(flags -> assertThat(flags.strip().split(" ")).contains(FLAGS));
      assertThat(GuestWork.linesIn(transcript)).isEqualTo(GuestWork.lines(ROUNDS, 1));
    }
  }
}
