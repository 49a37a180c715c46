package io.vmm4j.engine.machine;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.BackendSelection;
import io.vmm4j.api.BackendUnavailableException;
import io.vmm4j.api.Translation;
import io.vmm4j.api.backend.BackendProbe;
import io.vmm4j.api.backend.CpuFeature;
import io.vmm4j.api.backend.CpuidLeaf;
import io.vmm4j.api.backend.VmBackend;
import io.vmm4j.api.clock.ClockMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Chooses what runs a machine, and says why. */
final class BackendChooser {
  private static final String KVM = "kvm";

  /** A backend and why it was chosen. */
  record Chosen(VmBackend backend, BackendSelection selection, Translation translation) {}

  private BackendChooser() {}

  /** Whether a choice leaves open which backend it is. */
  static boolean isAuto(BackendChoice choice) {
    return choice.name().equals(BackendChoice.AUTO);
  }

  /** Whether a backend of this name can count instructions, which virtual time is made of. */
  static boolean countsInstructions(String name) {
    return !name.equals(KVM);
  }

  /**
   * Chooses.
   *
   * @param backends the most preferred first
   * @param cpuid the leaves that the machine is to have
   * @param needed the features among them that a backend must be able to give
   * @throws BackendUnavailableException if none fits; says why each does not
   */
  static Chosen choose(
      List<VmBackend> backends,
      BackendChoice choice,
      ClockMode clock,
      List<CpuidLeaf> cpuid,
      Set<CpuFeature> needed) {
    boolean auto = isAuto(choice);
    List<String> refusals = new ArrayList<>();
    for (VmBackend backend : backends) {
      if (!auto && !backend.name().equals(choice.name())) {
        continue;
      }
      if (clock == ClockMode.VIRTUAL && !countsInstructions(backend.name())) {
        refusals.add(backend.name() + ": it can't count instructions, as virtual time asks");
        continue;
      }
      BackendProbe probe = backend.probe();
      if (!probe.usable()) {
        refusals.add(backend.name() + ": " + probe.detail());
        continue;
      }
      Set<CpuFeature> lacking = Processors.lacking(backend, cpuid, needed);
      if (!lacking.isEmpty()) {
        refusals.add(
            "%s: it can't give the processor %s"
                .formatted(
                    backend.name(),
                    lacking.stream().map(Enum::name).collect(Collectors.joining(", "))));
        continue;
      }
      return new Chosen(
          backend,
          new BackendSelection(backend.name(), reason(auto, probe, refusals)),
          choice.translation());
    }
    if (refusals.isEmpty()) {
      String present = backends.stream().map(VmBackend::name).collect(Collectors.joining(", "));
      throw new BackendUnavailableException(
          choice.name(), "not present; present are: " + (present.isEmpty() ? "none" : present));
    }
    throw new BackendUnavailableException(choice.name(), String.join("; ", refusals));
  }

  private static String reason(boolean auto, BackendProbe probe, List<String> refusals) {
    if (!auto) {
      return "asked for; " + probe.detail();
    }
    return refusals.isEmpty()
        ? "the most preferred; " + probe.detail()
        : "%s (not %s)".formatted(probe.detail(), String.join("; not ", refusals));
  }
}
