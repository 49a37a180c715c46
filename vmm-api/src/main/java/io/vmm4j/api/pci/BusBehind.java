package io.vmm4j.api.pci;

import java.util.Optional;

/** The bus behind a bridge. With the machine lock held. */
@FunctionalInterface
public interface BusBehind {

  /** The configuration space of a function on it, if there is one. */
  Optional<ConfigSpace> find(int device, int function);
}
