package io.vmm4j.engine.software.cpu;

/** Is told when what linear addresses lead to has changed. On the vCPU's thread. */
public interface TranslationListener {

  /**
   * What was found by linear address is void.
   *
   * @param globalStay whether global pages lead where they did
   */
  void forgotten(boolean globalStay);
}
