package io.vmm4j.engine.machine.console;

/** What a console asks of its machine. */
public interface ConsoleOwner {

  /** The machine's name, for thread names. */
  String name();

  /** Runs a task of the console's device soon, with the machine lock held. */
  void execute(String path, Runnable task);

  /** Whether the calling thread is one of the machine's own, for which the guest would wait. */
  boolean isOwnThread();

  /** How many bytes of input wait at most at each console. */
  int inputLimitBytes();

  /** What the vCPUs are doing, in a few lines; never blocks for long. */
  String describeVcpus();
}
