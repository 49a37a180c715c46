package io.vmm4j.software.differential;

/** Runs cases. For one thread at a time. */
interface Processor extends AutoCloseable {

  /** Its name on the command line. */
  String name();

  /** Runs a case to its end. */
  Outcome run(Case c);

  @Override
  void close();
}
