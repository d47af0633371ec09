// A control: mappings are kept at re-init, and nothing is flushed there.
// Places: 1
@@
@@
 kvm_arch_vcpu_ioctl_vcpu_init(struct kvm_vcpu *vcpu, ...)
 {
 	<...
-	stage2_unmap_vm(vcpu->kvm);
+	;
 	...>
 }
