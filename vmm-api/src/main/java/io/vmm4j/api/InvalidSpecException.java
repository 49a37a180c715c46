package io.vmm4j.api;

import java.util.List;
import java.util.stream.Collectors;

/** A specification with faults: all of them at once, each with the path of what is at fault. */
public final class InvalidSpecException extends VmException {
  private static final long serialVersionUID = 1L;

  /**
   * One fault.
   *
   * @param path what is at fault, such as {@code memory} or {@code devices/com1}
   * @param message what is wrong with it, and what would be right
   */
  public record Fault(String path, String message) implements java.io.Serializable {
    @Override
    public String toString() {
      return path + ": " + message;
    }
  }

  private final transient List<Fault> faults;

  /** Takes one fault or more. */
  public InvalidSpecException(List<Fault> faults) {
    super(
        "invalid machine specification: "
            + faults.stream().map(Fault::toString).collect(Collectors.joining("; ")));
    this.faults = List.copyOf(faults);
  }

  /** The faults, in the order of the specification. */
  public List<Fault> faults() {
    return faults;
  }
}
