# Calls a function 100 times each by its address and by another that is mapped to the same memory, has
# an INT3 of its own after each pair of calls, and ends by the debug exit port. Numbers at 0x600 on:
#   600 calls of the function   604 own INT3s taken   608 rounds done
# The function begins at 0x10002 and at 0x410002, the own INT3 is at 0x10010.
.code16
.intel_syntax noprefix
start:
  jmp near ptr begin
  .code32
function:
  inc dword ptr [0x600]
  ret
.org 0x10
own:
  int3
  inc dword ptr [0x608]
  cmp dword ptr [0x608], 100
  jb round
  mov al, 42
  out 0xF4, al
stop:
  hlt
  jmp stop
round:
  mov eax, offset function + 0x10000
  call eax
  mov eax, offset function + 0x410000
  call eax
  jmp own
breakpoint:
  inc dword ptr [0x604]
  iret
  .code16
begin:
  cli
  xor ax, ax
  mov ds, ax
  mov dword ptr [0x1000], 0x83        # pages of 4 MiB: the first,
  mov dword ptr [0x1004], 0x83        # and the same again
  mov word ptr [0x2018], offset breakpoint
  mov word ptr [0x201A], 8
  mov word ptr [0x201C], 0x8E00
  mov word ptr [0x201E], 1            # at 0x10000
  lidt cs:[idtr]
  lgdt cs:[gdtr]
  mov eax, cr4
  or al, 0x10                         # PSE
  mov cr4, eax
  mov eax, 0x1000
  mov cr3, eax
  mov eax, cr0
  or eax, 0x80000001
  mov cr0, eax
  .byte 0x66, 0xEA                    # jmp 8:protected
  .long protected + 0x10000
  .word 8
  .code32
protected:
  mov ax, 0x10
  mov ds, ax
  mov ss, ax
  mov esp, 0x7000
  jmp round
idtr:
  .word 0x1F
  .long 0x2000
gdtr:
  .word 0x17
  .long 0x10000 + gdt
gdt:
  .quad 0
  .quad 0x00CF9B000000FFFF
  .quad 0x00CF93000000FFFF
