package io.vmm4j.software.cpu;

/**
 * Is told when what linear addresses lead to has changed, in which of a vCPU's address spaces. They
 * are told apart by small numbers, which are used again. On the vCPU's thread.
 */
public interface TranslationListener {

  /** Instructions are executed in an address space from now on. */
  void entered(int space);

  /** An address space begins with the global pages of another one. */
  void copiedGlobals(int from, int to);

  /**
   * What was found by linear address in an address space is void.
   *
   * @param globalStay whether global pages lead where they did
   */
  void forgotten(int space, boolean globalStay);

  /** What was found in a page of an address space is void. */
  void forgottenPage(int space, long linear);
}
