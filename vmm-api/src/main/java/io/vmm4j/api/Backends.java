package io.vmm4j.api;

import io.vmm4j.api.backend.BackendProbe;
import io.vmm4j.api.backend.VmBackend;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The choices of backend, and what can run here. */
public final class Backends {
  private Backends() {}

  /** KVM where it can be used, else software; the reason is in {@link Vm#backend} and logged. */
  public static BackendChoice auto() {
    return new BackendChoice(BackendChoice.AUTO);
  }

  /** The software processor, which makes machine code of the guest's where it can. */
  public static BackendChoice software() {
    return new BackendChoice("software");
  }

  /** The software processor, and whether it makes machine code of the guest's. */
  public static BackendChoice software(Translation translation) {
    return new BackendChoice("software", translation);
  }

  /** The host's processor through /dev/kvm. */
  public static BackendChoice kvm() {
    return new BackendChoice("kvm");
  }

  /**
   * The names of the backends that are present, by preference; whether they can run is not asked.
   */
  public static List<String> present() {
    return VmEngine.get().backends().stream().map(VmBackend::name).toList();
  }

  /** Every backend that is present, by preference, and whether it can run here. */
  public static Map<String, BackendProbe> probeAll() {
    Map<String, BackendProbe> probes = new LinkedHashMap<>();
    for (VmBackend backend : VmEngine.get().backends()) {
      probes.put(backend.name(), backend.probe());
    }
    return probes;
  }
}
