package io.vmm4j.software.cpu;

/** What another tier has made of a {@link Block}, which is told when the block is void. */
public interface TranslatedBlock {

  /** The block's bytes were written to: it must not be executed again. */
  void invalidate();
}
