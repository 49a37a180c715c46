package io.vmm4j.guests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.AssertionFailedError;
import org.opentest4j.TestAbortedException;

class GuestImagesTest {
  @TempDir private Path directory;
  private final List<String> skips = new ArrayList<>();

  @Test
  void aFetchedImageIsFound() throws IOException {
    // given a cache with an initramfs
    Path initrd = Files.createFile(directory.resolve("initrd.cpio"));

    assertThat(new GuestImages(new GuestCache(directory), true, skips::add).initrd())
        .isEqualTo(initrd);
  }

  @Test
  void aMissingImageSkipsTheTestAndNamesTheRemedy() {
    GuestImages images = new GuestImages(new GuestCache(directory), false, skips::add);

    assertThatThrownBy(images::kernel)
        .isInstanceOf(TestAbortedException.class)
        .hasMessageContaining(directory.toString())
        .hasMessageContaining("guests/fetch");
    assertThat(skips).singleElement().asString().contains("the Debian cloud kernel");
  }

  @Test
  void aMissingImageFailsTheTestUnderContinuousIntegration() {
    GuestImages images = new GuestImages(new GuestCache(directory), true, skips::add);

    assertThatThrownBy(images::kernel)
        .isInstanceOf(AssertionFailedError.class)
        .hasMessageContaining("guests/fetch");
  }
}
