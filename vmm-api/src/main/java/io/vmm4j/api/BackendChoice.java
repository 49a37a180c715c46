package io.vmm4j.api;

/**
 * Which backend is to run a machine: see {@link Backends}.
 *
 * @param name a backend's name, or {@code auto} for the most preferred of those that can run
 */
public record BackendChoice(String name) {
  /** The name of the choice that takes the best. */
  public static final String AUTO = "auto";
}
