package io.vmm4j.kvm;

import io.vmm4j.api.BackendUnavailableException;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.backend.BackendHost;
import io.vmm4j.api.backend.BackendMachine;
import io.vmm4j.api.backend.BackendProbe;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.backend.VmBackend;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The host's processor through Linux's KVM. */
public final class KvmBackend implements VmBackend {
  private static final String NAME = "kvm";
  private static final int API_VERSION = 12;
  private static final int PREFERRED = 10;

  /**
   * Behind the software processor: the guest's kernel code is emulated, instruction by instruction.
   */
  private static final int NOT_PREFERRED = -10;

  /** {@code off} makes it unusable. */
  private static final String PROPERTY = "vmm4j.kvm";

  private static final Path SOFTWARE_KVM = Path.of("/sys/module/kvm_pvm");

  /** What was asked once: it takes a machine of the kernel's, and does not change. */
  private volatile @Nullable HostLimits limits;

  /** For {@link java.util.ServiceLoader}. */
  public KvmBackend() {}

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int preference() {
    return Files.exists(SOFTWARE_KVM) ? NOT_PREFERRED : PREFERRED;
  }

  @Override
  public BackendProbe probe() {
    String obstacle = obstacle();
    if (!obstacle.isEmpty()) {
      return new BackendProbe(false, obstacle);
    }
    try (KvmDevice device = KvmDevice.open()) {
      return probe(device);
    } catch (KvmException e) {
      return new BackendProbe(false, e.getMessage() + openAdvice());
    }
  }

  /** Why there can be no use in trying, or nothing. Calls nothing native. */
  private static String obstacle() {
    String system = System.getProperty("os.name") + " on " + System.getProperty("os.arch");
    if (!system.equals("Linux on amd64")) {
      return "it needs Linux on amd64, and this is " + system;
    }
    if (System.getProperty(PROPERTY, "auto").equals("off")) {
      return "the property " + PROPERTY + " turns it off";
    }
    if (!Files.exists(Path.of(KvmDevice.PATH))) {
      return KvmDevice.PATH
          + " does not exist: the kernel has no KVM, or it is not let through here";
    }
    Module module = KvmBackend.class.getModule();
    if (!module.isNativeAccessEnabled()) {
      return "native access is not enabled: start the JVM with --enable-native-access="
          + (module.isNamed() ? module.getName() : "ALL-UNNAMED");
    }
    return "";
  }

  private static String openAdvice() {
    return Files.isWritable(Path.of(KvmDevice.PATH))
        ? ""
        : ": user '%s' may not write to it; membership in its group, often 'kvm', would do"
            .formatted(System.getProperty("user.name"));
  }

  private BackendProbe probe(KvmDevice device) {
    if (device.apiVersion() != API_VERSION) {
      return new BackendProbe(
          false, "KVM has API version %d, not 12".formatted(device.apiVersion()));
    }
    List<Capability> missing =
        Stream.of(Capability.values()).filter(c -> c.isRequired() && device.check(c) <= 0).toList();
    if (!missing.isEmpty()) {
      return new BackendProbe(false, "the kernel's KVM lacks " + join(missing));
    }
    HostLimits host = limits(device);
    StringBuilder detail = new StringBuilder(KvmDevice.PATH + ", Linux ");
    detail.append(System.getProperty("os.version"));
    Set<CpuFeature> lacking = CpuFeature.portable();
    lacking.retainAll(host.missing());
    if (!lacking.isEmpty()) {
      detail.append("; without ").append(join(lacking));
    }
    if (host.tscFrequencyHz() != 0) {
      detail.append("; TSC of ").append(host.tscFrequencyHz() / 1000).append(" kHz, not scaled");
    }
    if (Files.exists(SOFTWARE_KVM)) {
      detail.append("; a KVM in software, where kernel code of a guest is slow");
    }
    return new BackendProbe(true, detail.toString());
  }

  private static String join(java.util.Collection<?> names) {
    return names.stream().map(String::valueOf).collect(Collectors.joining(", "));
  }

  private HostLimits limits() {
    HostLimits known = limits;
    if (known != null) {
      return known;
    }
    try (KvmDevice device = KvmDevice.open()) {
      return limits(device);
    }
  }

  private HostLimits limits(KvmDevice device) {
    HostLimits known = limits;
    if (known == null) {
      known = HostLimits.of(device);
      limits = known;
    }
    return known;
  }

  @Override
  public List<CpuidLeaf> possible(List<CpuidLeaf> wanted) {
    return CpuFeature.withdraw(wanted, limits().lacking(wanted));
  }

  @Override
  public long possibleTscFrequencyHz(long wanted) {
    return limits().possibleTscFrequencyHz(wanted);
  }

  @Override
  public BackendMachine open(BackendHost host) {
    BackendProbe probe = probe();
    if (!probe.usable()) {
      throw new BackendUnavailableException(NAME, probe.detail());
    }
    try (KvmDevice device = KvmDevice.open()) {
      HostLimits here = limits(device);
      Set<CpuFeature> lacking = here.lacking(host.cpuid());
      if (!lacking.isEmpty()) {
        throw new SnapshotException.Incompatible(
            "processor with " + join(lacking), "this host's KVM has no such thing to give");
      }
      long frequency = here.possibleTscFrequencyHz(host.tscFrequencyHz());
      if (frequency != host.tscFrequencyHz()) {
        throw new SnapshotException.Incompatible(
            "time-stamp counter of %d Hz".formatted(host.tscFrequencyHz()),
            "this host's counts at %d Hz and can't be scaled".formatted(frequency));
      }
      int most = device.check(Capability.KVM_CAP_MAX_VCPUS);
      if (host.cpus() > most) {
        throw new SnapshotException.Incompatible(
            "machine of %d vCPUs".formatted(host.cpus()), "this host's KVM has " + most);
      }
      return KvmMachine.create(device, host);
    }
  }
}
