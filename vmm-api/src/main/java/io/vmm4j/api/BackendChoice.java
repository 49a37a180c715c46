package io.vmm4j.api;

/**
 * Which backend is to run a machine: see {@link Backends}.
 *
 * @param name a backend's name, or {@code auto} for the most preferred of those that can run
 * @param translation whether the software backend makes machine code; others don't look at it
 */
public record BackendChoice(String name, Translation translation) {
  /** The name of the choice that takes the best. */
  public static final String AUTO = "auto";

  /** A backend by its name; the software backend makes machine code where it can. */
  public BackendChoice(String name) {
    this(name, Translation.AUTO);
  }

  /** The same choice with another translation. */
  public BackendChoice with(Translation other) {
    return new BackendChoice(name, other);
  }
}
